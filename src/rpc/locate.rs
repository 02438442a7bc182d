//! Who leads: one address, or the one of several that answers as primary. `election/published.rs` asks ZooKeeper.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use tokio::task::JoinSet;

use super::channel::{self, ChannelSettings};
use super::status::with_causes;

/// Finds the primary. Cheap enough to be asked several times a second while a call waits.
#[async_trait]
pub trait Locate: Debug + Send + Sync {
    /// The address (`host:port`) of the master that leads now.
    ///
    /// # Errors
    /// Nobody leads, or it cannot be found out.
    async fn locate(&self) -> Result<String, LocateError>;

    /// All places where a master is looked for, as an error names them.
    fn places(&self) -> String;
}

/// Why it is not known who leads.
#[derive(Debug, thiserror::Error)]
pub enum LocateError {
    /// None of the masters answered as primary.
    #[error("none of [{asked}] answers as primary; the last refusal: {last}")]
    Nobody {
        /// The addresses, with commas.
        asked: String,
        /// What one of them said.
        last: String,
    },
    /// It cannot be found out now.
    #[error("{0}")]
    Unknown(String),
    /// As the properties are it can never be found out.
    #[error("{0}")]
    Settings(String),
}

/// A cluster with one master: nothing is asked.
#[derive(Debug, Clone)]
pub struct Fixed {
    /// `host:port`.
    pub address: String,
}

#[async_trait]
impl Locate for Fixed {
    async fn locate(&self) -> Result<String, LocateError> {
        Ok(self.address.clone())
    }

    fn places(&self) -> String {
        self.address.clone()
    }
}

/// A list of masters that are asked, all at once, whether they are primary.
#[derive(Debug, Clone)]
pub struct Polled {
    /// Each `host:port`.
    pub addresses: Vec<String>,
    /// Longest wait for the answers of one sweep: a stopped master accepts the question and never answers, and must
    /// not keep us from asking the others again.
    pub sweep_timeout: Duration,
}

#[async_trait]
impl Locate for Polled {
    async fn locate(&self) -> Result<String, LocateError> {
        let settings =
            ChannelSettings { identity: None, connect_timeout: self.sweep_timeout, answer_timeout: self.sweep_timeout };
        let mut questions = JoinSet::new();
        for address in self.addresses.clone() {
            let settings = settings.clone();
            questions.spawn(async move {
                let answer = channel::ask_whether_primary(&address, &settings).await;
                (address, answer)
            });
        }
        let mut last = String::from("no master is configured");
        // Dropping the set ends the questions that are still open.
        while let Some(question) = questions.join_next().await {
            match question {
                Ok((address, Ok(()))) => return Ok(address),
                Ok((_, Err(error))) => last = with_causes(&error),
                Err(error) => last = error.to_string(),
            }
        }
        Err(LocateError::Nobody { asked: self.addresses.join(", "), last })
    }

    fn places(&self) -> String {
        self.addresses.join(", ")
    }
}
