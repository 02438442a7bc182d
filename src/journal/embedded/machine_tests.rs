use super::super::applied::Applied;
use super::super::channels::{QueueReceiver, Queues};
use super::super::memory_disk::MemoryDisk;
use super::super::runtime::TokioRuntime;
use super::super::store::Store;
use super::*;
use openraft::async_runtime::{Mpsc, MpscReceiver};
use openraft::testing::log::{StoreBuilder, Suite};
use openraft::{AsyncRuntime, StorageError};
use parking_lot::Mutex as Lock;
use std::sync::Arc;

type Tested = Types<TokioRuntime>;

/// A master that keeps a checkpoint of all that it was told, whenever somebody looks for one.
#[derive(Clone)]
struct Master(Arc<Lock<Told>>);

struct Told {
    piped: QueueReceiver<Piped>,
    applied: Applied,
    newest: Option<Checkpoint>,
}

impl Checkpoints for Master {
    async fn newest(&self) -> io::Result<Option<Checkpoint>> {
        let Told { piped, applied, newest } = &mut *self.0.lock();
        while let Ok(piped) = piped.try_recv() {
            match piped {
                Piped::Committed(entry) => drop(applied.take(&entry)),
                Piped::Installed(checkpoint) => applied.install(&checkpoint, Default::default()),
            }
            *newest = applied.checkpoint(Bytes::new());
        }
        Ok(newest.clone())
    }

    async fn keep(&self, _: Checkpoint) -> io::Result<()> {
        Ok(())
    }
}

struct Stores;

impl StoreBuilder<Tested, Store<TokioRuntime>, Machine<TokioRuntime, Master>> for Stores {
    async fn build(&self) -> Result<((), Store<TokioRuntime>, Machine<TokioRuntime, Master>), StorageError<Tested>> {
        let (store, writer) = Store::open(MemoryDisk::default()).await.unwrap();
        tokio::spawn(writer);
        let (pipe, piped) = Queues::channel(PIPED_MAX);
        let master = Master(Arc::new(Lock::new(Told { piped, applied: Applied::default(), newest: None })));
        Ok(((), store, Machine::new(pipe, master)))
    }
}

type Tests = Suite<Tested, Store<TokioRuntime>, Machine<TokioRuntime, Master>, Stores, ()>;

macro_rules! run {
    ($($test:ident)*) => {
        $({
            let ((), store, machine) = Stores.build().await.unwrap();
            Tests::$test(store, machine).await.unwrap();
        })*
    };
}

/// All of the suite but `get_initial_state_log_ids`, which has a purged log without a checkpoint: that never is.
#[test]
fn store_and_machine_are_what_openraft_expects() {
    TokioRuntime::new(1).block_on(async {
        run! {
            last_membership_in_log_initial last_membership_in_log last_membership_in_log_multi_step
            get_membership_initial get_membership_from_log_and_empty_sm get_membership_from_empty_log_and_sm
            get_membership_from_log_le_sm_last_applied get_membership_from_log_gt_sm_last_applied_1
            get_membership_from_log_gt_sm_last_applied_2
            get_initial_state_without_init get_initial_state_membership_from_empty_log_and_sm
            get_initial_state_membership_from_sm_inlog_is_smaller get_initial_state_membership_from_log_insm_is_smaller
            get_initial_state_with_state get_initial_state_last_log_gt_sm get_initial_state_last_log_lt_sm
            get_initial_state_inverted_log_order get_initial_state_conflict_at_same_index
            get_initial_state_re_apply_committed
            save_vote get_log_entries limited_get_log_entries leader_bounded_stream entries_stream try_get_log_entry
            log_reader_reads_new_entries initial_logs get_log_state get_log_id last_id_in_log last_applied_state
            purge_logs_upto_0 purge_logs_upto_5 purge_logs_upto_20
            delete_logs_after_11 delete_logs_after_5 delete_logs_after_0 delete_logs_after_none append_to_log
            snapshot_meta snapshot_meta_optional apply_single apply_multiple
        }
        Tests::transfer_snapshot(&Stores).await.unwrap();
    });
}
