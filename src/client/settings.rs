//! How clients read and write data.

use std::time::Duration;

use super::policy::Place;
use crate::conf::{Conf, keys};
use crate::rpc::channel::ChannelSettings;
use crate::rpc::retry::RetrySettings;
use crate::rpc::worker::WorkerSettings;

/// How data is read and written.
#[derive(Debug, Clone)]
pub struct DataSettings {
    /// How workers are reached.
    pub worker: WorkerSettings,
    /// Whether files of blocks on this host are used without their worker (`alluxio.user.short.circuit.enabled`).
    pub short_circuit: bool,
    /// Where this client stands.
    pub place: Place,
    /// Most bytes in one message (`alluxio.user.streaming.reader.chunk.size.bytes`).
    pub chunk_bytes: i64,
    /// How long a block is tried to be read (`alluxio.user.block.read.retry.*`).
    pub read_retry: RetrySettings,
    /// How long a worker to write to is waited for (`alluxio.user.file.write.init.max.duration`).
    pub worker_wait: Duration,
    /// What the master compared with the UFS longer ago is compared again; none: it is not
    /// (`alluxio.user.file.metadata.sync.interval`).
    pub sync_interval: Option<Duration>,
}

impl Default for DataSettings {
    fn default() -> Self {
        DataSettings {
            worker: WorkerSettings::default(),
            short_circuit: true,
            place: Place { host: this_host(), rack: None },
            chunk_bytes: 1 << 20,
            read_retry: RetrySettings {
                base_sleep: Duration::from_millis(250),
                max_sleep: Duration::from_secs(2),
                max_duration: Duration::from_secs(30),
            },
            worker_wait: Duration::from_secs(10),
            sync_interval: None,
        }
    }
}

impl DataSettings {
    /// Reads the properties. `channel` says who asks.
    pub fn read(conf: &Conf, channel: &ChannelSettings) -> DataSettings {
        DataSettings {
            worker: WorkerSettings {
                channel: channel.clone(),
                read_patience: conf.get(&keys::USER_STREAMING_DATA_READ_TIMEOUT),
                write_patience: conf.get(&keys::USER_STREAMING_DATA_WRITE_TIMEOUT),
                commit_patience: conf.get(&keys::USER_STREAMING_WRITER_CLOSE_TIMEOUT),
            },
            short_circuit: conf.get(&keys::USER_SHORT_CIRCUIT_ENABLED),
            place: Place {
                host: conf.get(&keys::USER_HOSTNAME).unwrap_or_else(this_host),
                rack: conf.get(&keys::LOCALITY_RACK),
            },
            chunk_bytes: i64::try_from(conf.get(&keys::USER_STREAMING_READER_CHUNK_SIZE).0).unwrap_or(i64::MAX),
            read_retry: RetrySettings {
                base_sleep: conf.get(&keys::USER_BLOCK_READ_RETRY_SLEEP_BASE),
                max_sleep: conf.get(&keys::USER_BLOCK_READ_RETRY_SLEEP_MAX),
                max_duration: conf.get(&keys::USER_BLOCK_READ_RETRY_MAX_DURATION),
            },
            worker_wait: conf.get(&keys::USER_FILE_WRITE_INIT_MAX_DURATION),
            sync_interval: conf.get(&keys::USER_FILE_METADATA_SYNC_INTERVAL).0,
        }
    }
}

/// The name of this machine.
fn this_host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
