//! A call with messages both ways, whose sending side ends in one of two ways: committed or aborted.
//!
//! To half-close such a call means "commit" (WriteBlock, CreateLocalBlock). So a call that is dropped must not look as
//! if it were half-closed: its request body ends in an error, and the transport resets the stream, which is how the
//! other side learns of an abort.

use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use parking_lot::Mutex;
use prost::Message;
use tokio::sync::mpsc;
use tokio_stream::Stream;
use tonic::codec::{Codec, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Request, Status, Streaming};
use tonic_prost::ProstCodec;

use super::channel::Connection;
use super::{MESSAGE_BYTES_MAX, status};
use crate::types::{ErrorKind, FsError};

/// Messages that wait for the transport. With chunks of 1 MiB this is the memory of a writer.
const QUEUED_MAX: usize = 2;

/// An open call. Dropping it aborts it, unless it was half-closed before.
pub(super) struct Duplex<Q, A> {
    /// Server and method, for errors.
    name: String,
    /// Longest wait for the other side in one step.
    patience: Duration,
    /// None is the half-close.
    requests: mpsc::Sender<Option<Q>>,
    answers: Answers<A>,
}

type Opening<A> = Pin<Box<dyn Future<Output = Result<Streaming<A>, Status>> + Send>>;

/// The receiving side. A server may send nothing, not even headers, before it has something to say.
enum Answers<A> {
    /// Never locked: the lock only lets whatever reads from a worker be looked at by several threads.
    Opening(Box<Mutex<Opening<A>>>),
    Open(Box<Streaming<A>>),
    Ended,
}

impl<Q: Message + 'static, A: Message + Default + 'static> Duplex<Q, A> {
    /// Begins a call; its first message is `first`. Nothing is sent before something is awaited.
    pub(super) fn open(
        connection: Connection,
        server: &str,
        path: &'static str,
        patience: Duration,
        first: Q,
    ) -> Duplex<Q, A> {
        let (requests, outgoing) = mpsc::channel(QUEUED_MAX);
        requests.try_send(Some(first)).expect("the channel is empty, and its receiver is here");
        let outgoing = Outgoing { messages: outgoing, ended: false };
        let call = async move {
            let mut client = tonic::client::Grpc::new(connection).max_decoding_message_size(MESSAGE_BYTES_MAX);
            client.ready().await.map_err(|error| Status::from_error(Box::new(error)))?;
            let path = PathAndQuery::from_static(path);
            Ok(client.streaming(Request::new(outgoing), path, Parts(PhantomData)).await?.into_inner())
        };
        let name = format!("{} of {server}", path.rsplit('/').next().unwrap_or(path));
        Duplex { name, patience, requests, answers: Answers::Opening(Box::new(Mutex::new(Box::pin(call)))) }
    }

    /// Sends a message, as soon as there is room for it. Answers that come meanwhile end it: the other side has nothing
    /// to say but that it gives up.
    ///
    /// # Errors
    /// The server ended the call, or took nothing for too long.
    pub(super) async fn send(&mut self, message: Q) -> Result<(), FsError> {
        let sent = async {
            tokio::select! {
                biased;
                early = self.answers.next() => Err(early),
                room = self.requests.reserve() => Ok(room.map(|room| room.send(Some(message)))),
            }
        };
        let sent = tokio::time::timeout(self.patience, sent).await;
        match sent {
            Ok(Ok(Ok(()))) => Ok(()),
            // The transport lets go of the requests a moment before it delivers why.
            Ok(Ok(Err(_))) => Err(self.end_of_call().await),
            Ok(Err(Err(status))) => Err(status::from_status(status)),
            Ok(Err(Ok(_))) => Err(self.unexpected_end()),
            Err(_) => Err(self.silent()),
        }
    }

    /// Sends a message in any case, also while answers wait to be received. Whether it arrives is seen by what follows.
    pub(super) async fn send_beside_answers(&mut self, message: Q) {
        // A call that has ended takes none, and none is needed.
        let _ = self.requests.send(Some(message)).await;
    }

    /// The next answer; none when the server has completed the call.
    ///
    /// # Errors
    /// The server failed the call, or was silent for too long.
    pub(super) async fn receive(&mut self) -> Result<Option<A>, FsError> {
        match tokio::time::timeout(self.patience, self.answers.next()).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(status)) => Err(status::from_status(status)),
            Err(_) => Err(self.silent()),
        }
    }

    /// As [`Duplex::receive`], where an answer has to come.
    ///
    /// # Errors
    /// As there; the server has completed the call.
    pub(super) async fn expect(&mut self) -> Result<A, FsError> {
        self.receive().await?.ok_or_else(|| self.unexpected_end())
    }

    /// Says that nothing will follow: what was sent is to be kept.
    ///
    /// # Errors
    /// The server ended the call before.
    pub(super) async fn half_close(&mut self) -> Result<(), FsError> {
        let closed = tokio::time::timeout(self.patience, self.requests.send(None)).await;
        match closed {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(self.end_of_call().await),
            Err(_) => Err(self.silent()),
        }
    }

    /// Sets another limit for what follows.
    pub(super) fn be_patient(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// Why the call is over, although it was not asked to be.
    async fn end_of_call(&mut self) -> FsError {
        match self.receive().await {
            Ok(_) => self.unexpected_end(),
            Err(error) => error,
        }
    }

    pub(super) fn unexpected_end(&self) -> FsError {
        FsError::new(ErrorKind::Unavailable, format!("{} ended too early", self.name))
    }

    fn silent(&self) -> FsError {
        let text = format!("{} showed no progress for {} ms", self.name, self.patience.as_millis());
        FsError::new(ErrorKind::Unavailable, text)
    }
}

impl<A> Answers<A> {
    /// The next one. May be dropped while it waits.
    async fn next(&mut self) -> Result<Option<A>, Status> {
        if let Answers::Opening(call) = self {
            let opened = call.get_mut().await;
            *self = Answers::Ended;
            *self = Answers::Open(Box::new(opened?));
        }
        let Answers::Open(stream) = self else { return Ok(None) };
        let next = stream.message().await;
        if !matches!(next, Ok(Some(_))) {
            *self = Answers::Ended;
        }
        next
    }
}

impl<Q, A> std::fmt::Debug for Duplex<Q, A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Duplex").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What goes out, until the half-close; a sender that is gone without one leaves an abort.
struct Outgoing<Q> {
    messages: mpsc::Receiver<Option<Q>>,
    ended: bool,
}

impl<Q> Stream for Outgoing<Q> {
    type Item = Part<Q>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Part<Q>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let next = std::task::ready!(self.messages.poll_recv(cx));
        self.ended = !matches!(next, Some(Some(_)));
        Poll::Ready(match next {
            Some(message) => message.map(Part::Message),
            None => Some(Part::Abort),
        })
    }
}

enum Part<Q> {
    Message(Q),
    Abort,
}

/// Protobuf both ways; an abort is what cannot be encoded.
struct Parts<Q, A>(PhantomData<(Q, A)>);

impl<Q: Message + 'static, A: Message + Default + 'static> Codec for Parts<Q, A> {
    type Encode = Part<Q>;
    type Decode = A;
    type Encoder = PartEncoder<Q>;
    type Decoder = <ProstCodec<A, A> as Codec>::Decoder;

    fn encoder(&mut self) -> Self::Encoder {
        PartEncoder(PhantomData)
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstCodec::<A, A>::default().decoder()
    }
}

struct PartEncoder<Q>(PhantomData<Q>);

impl<Q: Message> Encoder for PartEncoder<Q> {
    type Item = Part<Q>;
    type Error = Status;

    fn encode(&mut self, part: Part<Q>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        match part {
            Part::Message(message) => message.encode(buffer).map_err(|error| Status::internal(error.to_string())),
            Part::Abort => Err(Status::cancelled("the sender is gone")),
        }
    }
}
