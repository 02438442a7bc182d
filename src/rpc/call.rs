//! One call on the server: from the bytes to a handler of our own and back.
//!
//! A server's table of methods is a `match` over [`method_of`] whose arms end in [`unary`], [`server_stream`],
//! [`bidi_stream`] or [`data_stream`]. Generated server traits are not used: they ask for every method of a service, and box a call twice
//! more.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio_stream::Stream;
use tonic::body::Body;
use tonic::codec::Codec;
use tonic::codegen::http;
use tonic::codegen::{BoxFuture, Bytes, Service};
use tonic::server::Grpc;
use tonic::transport::server::TcpConnectInfo;
use tonic::{Code, Status, Streaming};
use tonic_prost::ProstCodec;

use super::handshake::Authenticator;
use super::{CHANNEL_ID_HEADER, DATA_MESSAGE_BYTES_MAX, MESSAGE_BYTES_MAX, chunks, status};
use crate::types::{ErrorKind, FsError};

/// What a server makes of a request.
pub type Reply = BoxFuture<http::Response<Body>, Infallible>;

/// The call's service (with package) and method; none when the path has another form.
pub fn method_of(request: &http::Request<Body>) -> Option<(&str, &str)> {
    request.uri().path().strip_prefix('/')?.rsplit_once('/')
}

/// The user of a call, by the channel that its header names.
///
/// # Errors
/// The channel is not authenticated.
pub fn user_of(request: &http::Request<Body>, authenticator: &Authenticator) -> Result<Arc<str>, FsError> {
    let channel_id = request.headers().get(CHANNEL_ID_HEADER).map(|id| id.as_bytes());
    authenticator.user(channel_id, request.uri().path().trim_start_matches('/'))
}

/// The other end of the connection that a call came by.
pub fn address_of(request: &http::Request<Body>) -> Option<SocketAddr> {
    request.extensions().get::<TcpConnectInfo>()?.remote_addr()
}

/// One message in, one out.
pub fn unary<Q, A, F>(request: http::Request<Body>, handler: impl FnOnce(Q) -> F + Send + 'static) -> Reply
where
    Q: prost::Message + Default + 'static,
    A: prost::Message + Default + 'static,
    F: Future<Output = Result<A, FsError>> + Send + 'static,
{
    Box::pin(async move {
        let response = grpc::<A, Q>().unary(Handler(Some(|message| finish(handler(message)))), request).await;
        Ok(as_java_refuses(response))
    })
}

/// A message that is too long has another code here than tonic's.
// Compatible: grpc-java, RESOURCE_EXHAUSTED.
fn as_java_refuses(mut response: http::Response<Body>) -> http::Response<Body> {
    let too_long = Code::OutOfRange as i32;
    let code = response.headers_mut().get_mut(Status::GRPC_STATUS);
    if let Some(code) = code.filter(|code| code.as_bytes() == too_long.to_string().as_bytes()) {
        *code = http::HeaderValue::from(Code::ResourceExhausted as i32);
    }
    response
}

/// One message in, many out.
pub fn server_stream<Q, A, F, S>(request: http::Request<Body>, handler: impl FnOnce(Q) -> F + Send + 'static) -> Reply
where
    Q: prost::Message + Default + 'static,
    A: prost::Message + Default + 'static,
    F: Future<Output = Result<S, FsError>> + Send + 'static,
    S: Stream<Item = Result<A, Status>> + Send + 'static,
{
    Box::pin(async move {
        Ok(grpc::<A, Q>().server_streaming(Handler(Some(|message| finish(handler(message)))), request).await)
    })
}

/// Many in, many out, at the same time.
pub fn bidi_stream<Q, A, F, S>(
    request: http::Request<Body>,
    handler: impl FnOnce(Streaming<Q>) -> F + Send + 'static,
) -> Reply
where
    Q: prost::Message + Default + 'static,
    A: prost::Message + Default + 'static,
    F: Future<Output = Result<S, FsError>> + Send + 'static,
    S: Stream<Item = Result<A, Status>> + Send + 'static,
{
    bounded_stream(request, MESSAGE_BYTES_MAX, handler)
}

/// The same with data in it: messages are bounded, so that many streams may be open.
pub fn data_stream<Q, A, F, S>(
    request: http::Request<Body>,
    handler: impl FnOnce(Streaming<Q>) -> F + Send + 'static,
) -> Reply
where
    Q: prost::Message + Default + 'static,
    A: prost::Message + Default + 'static,
    F: Future<Output = Result<S, FsError>> + Send + 'static,
    S: Stream<Item = Result<A, Status>> + Send + 'static,
{
    bounded_stream(request, DATA_MESSAGE_BYTES_MAX, handler)
}

/// Many in; out come chunks of a block, without a copy.
pub fn chunk_stream<Q, S>(request: http::Request<Body>, handler: impl FnOnce(Streaming<Q>) -> S) -> Reply
where
    Q: prost::Message + Default + 'static,
    S: Stream<Item = Result<Bytes, Status>> + Send + 'static,
{
    let decoder = ProstCodec::<Q, Q>::default().decoder();
    let inbound = Streaming::new_request(decoder, request.into_body(), None, Some(DATA_MESSAGE_BYTES_MAX));
    Box::pin(std::future::ready(Ok(chunks::answer(handler(inbound)))))
}

fn bounded_stream<Q, A, F, S>(
    request: http::Request<Body>,
    bytes_max: usize,
    handler: impl FnOnce(Streaming<Q>) -> F + Send + 'static,
) -> Reply
where
    Q: prost::Message + Default + 'static,
    A: prost::Message + Default + 'static,
    F: Future<Output = Result<S, FsError>> + Send + 'static,
    S: Stream<Item = Result<A, Status>> + Send + 'static,
{
    Box::pin(async move {
        let mut grpc = grpc::<A, Q>().apply_max_message_size_config(Some(bytes_max), Some(bytes_max));
        Ok(grpc.streaming(Handler(Some(|message| finish(handler(message)))), request).await)
    })
}

/// An error without looking at the request's message.
pub fn refuse(error: FsError) -> Reply {
    let response = status::to_status(error).into_http();
    Box::pin(std::future::ready(Ok(response)))
}

/// The answer to a call of a service or method that does not exist here.
// Compatible: grpc-java, the text to the letter.
pub fn refuse_unknown(request: &http::Request<Body>) -> Reply {
    let path = request.uri().path();
    let text = format!("Method not found: {}", path.strip_prefix('/').unwrap_or(path));
    refuse(FsError::new(ErrorKind::Unimplemented, text))
}

fn grpc<A: prost::Message + 'static, Q: prost::Message + Default + 'static>() -> Grpc<ProstCodec<A, Q>> {
    Grpc::new(ProstCodec::default()).apply_max_message_size_config(Some(MESSAGE_BYTES_MAX), Some(MESSAGE_BYTES_MAX))
}

/// A handler as tonic wants it; called once.
struct Handler<H>(Option<H>);

impl<H, Q, A, F> Service<tonic::Request<Q>> for Handler<H>
where
    H: FnOnce(Q) -> F,
    F: Future<Output = Result<tonic::Response<A>, Status>>,
{
    type Response = tonic::Response<A>;
    type Error = Status;
    type Future = F;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: tonic::Request<Q>) -> F {
        let handler = self.0.take().expect("a handler belongs to one request");
        handler(request.into_inner())
    }
}

/// The outcome in tonic's types.
async fn finish<A>(outcome: impl Future<Output = Result<A, FsError>>) -> Result<tonic::Response<A>, Status> {
    outcome.await.map(tonic::Response::new).map_err(status::to_status)
}
