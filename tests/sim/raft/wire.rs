//! What members say to one another: late, lost in either direction, and also after its sender has died.

use super::executor::{Sim, WORLD, chance, random, spawn_in};
use super::world::{MasterRaft, Shared, World, index_of};
use alluxio::journal::embedded::channels::Letters;
use alluxio::journal::embedded::start::may_install;
use alluxio::journal::embedded::types::{Member, MemberId, Types, Vote};
use bytes::Bytes;
use openraft::async_runtime::{Oneshot, OneshotSender};
use openraft::errors::{RPCError, ReplicationClosed, StreamingError, Unreachable};
use openraft::network::RPCOption;
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, TransferLeaderRequest, TransferLeaderResponse,
    VoteRequest, VoteResponse,
};
use openraft::storage::Snapshot;
use openraft::type_config::alias::SnapshotOf;
use openraft::{AsyncRuntime, RaftNetworkFactory, RaftNetworkV2};
use std::fmt::Display;
use std::time::Duration;

pub type C = Types<Sim>;

/// The connections of a member.
#[derive(Clone)]
pub struct Wire {
    pub world: World,
    pub from: usize,
}

/// One of them.
pub struct Link {
    world: World,
    from: usize,
    to: usize,
}

impl RaftNetworkFactory<C> for Wire {
    type Network = Link;

    async fn new_client(&mut self, to: MemberId, _: &Member) -> Link {
        Link { world: self.world.clone(), from: self.from, to: index_of(to) }
    }
}

impl Shared {
    fn is_lost(&self, from: usize, to: usize) -> bool {
        self.cuts.contains(&(from, to)) || chance(self.loss, 1000)
    }
}

fn delay() -> Duration {
    let slow = if chance(1, 50) { 40_000 } else { 1_500 };
    Duration::from_micros(random(50, slow))
}

fn refused(text: impl Display) -> Unreachable<C> {
    Unreachable::from_string(text)
}

impl Link {
    /// Has the other member do it. The message travels on when its sender dies.
    async fn call<T, E, F>(
        &self,
        limit: Duration,
        handle: impl FnOnce(MasterRaft) -> F + Send + 'static,
    ) -> Result<T, Unreachable<C>>
    where
        T: Send + 'static,
        E: Display + Send + 'static,
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        let (world, from, to) = (self.world.clone(), self.from, self.to);
        let (sender, receiver) = Letters::channel();
        spawn_in(WORLD, async move {
            Sim::sleep(delay()).await;
            if world.lock().is_lost(from, to) {
                // Whoever waits for an answer learns nothing.
                Sim::sleep(limit).await;
                return;
            }
            let target = world.lock().nodes[to].running();
            let Some((process, raft)) = target else { return };
            let Ok(answer) = spawn_in(process, handle(raft)).await else { return };
            Sim::sleep(delay()).await;
            if world.lock().is_lost(to, from) {
                Sim::sleep(limit).await;
                return;
            }
            let _ = sender.send(answer);
        });
        match Sim::timeout(limit, receiver).await {
            Ok(Ok(Ok(answer))) => Ok(answer),
            Ok(Ok(Err(error))) => Err(refused(error)),
            Ok(Err(_)) => Err(refused("nobody is there")),
            Err(_) => Err(refused("no answer")),
        }
    }
}

impl RaftNetworkV2<C> for Link {
    type SnapshotData = Bytes;

    async fn append_entries(
        &mut self,
        request: AppendEntriesRequest<C>,
        option: RPCOption,
    ) -> Result<AppendEntriesResponse<C>, RPCError<C>> {
        let limit = option.hard_ttl();
        Ok(self.call(limit, |raft| async move { raft.append_entries(request).await }).await?)
    }

    async fn vote(&mut self, request: VoteRequest<C>, option: RPCOption) -> Result<VoteResponse<C>, RPCError<C>> {
        Ok(self.call(option.hard_ttl(), |raft| async move { raft.vote(request).await }).await?)
    }

    async fn pre_vote(&mut self, request: VoteRequest<C>, option: RPCOption) -> Result<VoteResponse<C>, RPCError<C>> {
        Ok(self.call(option.hard_ttl(), |raft| async move { raft.pre_vote(request).await }).await?)
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote,
        snapshot: SnapshotOf<C, Bytes>,
        _: impl Future<Output = ReplicationClosed> + Send + 'static,
        option: RPCOption,
    ) -> Result<SnapshotResponse<C>, StreamingError<C>> {
        let last = snapshot.meta.last_log_id;
        if !may_install(&vote, last.as_ref()) {
            self.world.lock().count("old snapshot");
            return Err(refused("R3").into());
        }
        let snapshot = Snapshot { meta: snapshot.meta, snapshot: snapshot.snapshot };
        let install = move |raft: MasterRaft| async move { raft.install_full_snapshot(vote, snapshot).await };
        self.world.lock().count("snapshot sent");
        Ok(self.call(option.hard_ttl(), install).await?)
    }

    async fn transfer_leader(
        &mut self,
        request: TransferLeaderRequest<C>,
        option: RPCOption,
    ) -> Result<TransferLeaderResponse<C>, RPCError<C>> {
        let transfer = move |raft: MasterRaft| async move { raft.handle_transfer_leader(request).await };
        Ok(self.call(option.hard_ttl(), transfer).await?)
    }
}
