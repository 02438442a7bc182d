//! Answers that consist of block data: each chunk goes to the connection as it is. Generated encoders would copy it.
//!
//! A chunk travels as `ReadResponse { chunk { data } }`. Compatible: 2.9 clients parse exactly this shape, nothing
//! before, between or after (their zero-copy reader).

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{BufMut, Bytes, BytesMut};
use http_body::Frame;
use tokio_stream::Stream;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::http::{HeaderMap, HeaderValue, Response, header};

/// Key of field 1 with a length: `ReadResponse.chunk`, and `Chunk.data`.
const FIELD_1: u8 = 0x0a;

/// gRPC's "not compressed" and four bytes of length, then twice a key and a length.
const HEAD_BYTES_MAX: usize = 5 + 2 * (1 + 10);

/// An answer whose messages are the chunks of `chunks`; the end of the stream is success, an error its last item.
pub fn answer(chunks: impl Stream<Item = Result<Bytes, Status>> + Send + 'static) -> Response<Body> {
    let mut response = Response::new(Body::new(Chunks { chunks: Box::pin(chunks), data: None, over: false }));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response
}

struct Chunks<S> {
    chunks: Pin<Box<S>>,
    /// What follows the head that was given out.
    data: Option<Bytes>,
    /// The trailers are given out.
    over: bool,
}

impl<S: Stream<Item = Result<Bytes, Status>>> http_body::Body for Chunks<S> {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if let Some(data) = self.data.take() {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        if self.over {
            return Poll::Ready(None);
        }
        let end = match ready!(self.chunks.as_mut().poll_next(cx)) {
            Some(Ok(data)) => {
                let head = head(data.len());
                self.data = Some(data);
                return Poll::Ready(Some(Ok(Frame::data(head))));
            }
            Some(Err(status)) => status,
            None => Status::ok(""),
        };
        self.over = true;
        let mut trailers = HeaderMap::new();
        end.add_header(&mut trailers)?;
        Poll::Ready(Some(Ok(Frame::trailers(trailers))))
    }
}

/// What stands before `length` bytes of data.
fn head(length: usize) -> Bytes {
    let chunk = 1 + varint_bytes(length) + length;
    let message = 1 + varint_bytes(chunk) + chunk;
    let mut head = BytesMut::with_capacity(HEAD_BYTES_MAX);
    head.put_u8(0);
    head.put_u32(u32::try_from(message).expect("a chunk is a small part of 4 GiB"));
    for part in [chunk, length] {
        head.put_u8(FIELD_1);
        prost::encoding::encode_varint(part as u64, &mut head);
    }
    head.freeze()
}

fn varint_bytes(value: usize) -> usize {
    prost::encoding::encoded_len_varint(value as u64)
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use http_body::Body as _;
    use prost::Message;

    use super::{Bytes, BytesMut, Chunks, Pin, Poll, Status};
    use crate::proto::alluxio::grpc::block::{Chunk, ReadResponse};

    /// All bytes of an answer, and the gRPC status at its end.
    fn sent(chunks: Vec<Result<Bytes, Status>>) -> (BytesMut, String) {
        let mut body = Chunks { chunks: Box::pin(tokio_stream::iter(chunks)), data: None, over: false };
        let (mut bytes, mut status) = (BytesMut::new(), String::new());
        while let Poll::Ready(Some(frame)) = Pin::new(&mut body).poll_frame(&mut Context::from_waker(Waker::noop())) {
            let frame = frame.unwrap();
            match frame.into_data() {
                Ok(data) => bytes.extend_from_slice(&data),
                Err(frame) => {
                    let trailers = frame.into_trailers().unwrap();
                    status = trailers["grpc-status"].to_str().unwrap().to_owned();
                }
            }
        }
        (bytes, status)
    }

    #[test]
    fn chunks_travel_as_the_messages_that_they_are() {
        for length in [1, 2, 126, 127, 128, 16_383, 16_384, 1 << 20, 2 << 20] {
            let data = Bytes::from(vec![7; length]);
            let message = ReadResponse { chunk: Some(Chunk { data: Some(data.clone()) }) }.encode_to_vec();
            let mut expected = BytesMut::from(&[0][..]);
            expected.extend_from_slice(&(message.len() as u32).to_be_bytes());
            expected.extend_from_slice(&message);
            let (bytes, status) = sent(vec![Ok(data)]);
            assert!(bytes == expected, "{length} bytes");
            assert_eq!(status, "0");
        }
    }

    #[test]
    fn an_error_ends_the_answer() {
        let (bytes, status) = sent(vec![Ok(Bytes::from_static(b"x")), Err(Status::unavailable("gone"))]);
        assert_eq!((bytes.len(), status.as_str()), (5 + 5, "14"));
    }
}
