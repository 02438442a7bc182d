//! A connection that sends at once what several tasks have written to it.
//!
//! Calls of one connection that end in the same moment, as those do that a flush of the journal decides, each have their
//! answer written by a task of its own, and HTTP/2 flushes after each: a system call and a segment of TCP for every
//! answer. This one lets all tasks that are ready go first, once, and sends what has gathered meanwhile. (The crate h2 holds
//! back what follows an answer of 256 bytes or more until that is flushed; so those leave by twos.)

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::OwnedSemaphorePermit;
use tonic::transport::server::Connected;

/// What is gathered at most. Longer writes, as blocks are, are not copied.
const GATHERED_BYTES_MAX: usize = 16 << 10;

/// See the module text.
pub(super) struct Gathered<T> {
    inner: T,
    written: BytesMut,
    /// The others have been let go first since the last flush that sent something.
    yielded: bool,
    /// Among the connections of a server, as long as this is one.
    _place: Option<OwnedSemaphorePermit>,
}

impl<T> Gathered<T> {
    /// Gathers what is written to `inner`.
    pub(super) fn new(inner: T) -> Gathered<T> {
        Gathered { inner, written: BytesMut::new(), yielded: false, _place: None }
    }

    /// Frees that place when the connection is no more.
    pub(super) fn in_place(self, place: OwnedSemaphorePermit) -> Gathered<T> {
        Gathered { _place: Some(place), ..self }
    }
}

impl<T: AsyncWrite + Unpin> Gathered<T> {
    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.written.is_empty() {
            let sent = ready!(Pin::new(&mut self.inner).poll_write(context, &self.written))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written.advance(sent);
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Gathered<T> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let length = slices.iter().map(|slice| slice.len()).sum::<usize>();
        if this.written.len() + length > GATHERED_BYTES_MAX {
            ready!(this.poll_send(context))?;
            if length > GATHERED_BYTES_MAX {
                return Pin::new(&mut this.inner).poll_write_vectored(context, slices);
            }
        }
        slices.iter().for_each(|slice| this.written.extend_from_slice(slice));
        Poll::Ready(Ok(length))
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !this.written.is_empty() {
            if !this.yielded {
                this.yielded = true;
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            ready!(this.poll_send(context))?;
        }
        this.yielded = false;
        Pin::new(&mut this.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_send(context))?;
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Gathered<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<T: Connected> Connected for Gathered<T> {
    type ConnectInfo = T::ConnectInfo;

    fn connect_info(&self) -> T::ConnectInfo {
        self.inner.connect_info()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    use std::task::{Wake, Waker};
    use tokio::io::AsyncWriteExt;

    /// Takes `room` bytes with each write, keeps each write apart, and is busy every other time.
    struct Sink {
        writes: Vec<Vec<u8>>,
        room: usize,
        may_be_busy: bool,
        busy: bool,
    }

    impl Sink {
        fn new(room: usize, may_be_busy: bool) -> Sink {
            Sink { writes: Vec::new(), room, may_be_busy, busy: false }
        }

        fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<()> {
            self.busy = self.may_be_busy && !self.busy;
            if !self.busy {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        }
    }

    impl AsyncWrite for Sink {
        fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            ready!(self.poll_ready(context));
            let taken = bytes.len().min(self.room);
            self.writes.push(bytes[..taken].to_vec());
            Poll::Ready(Ok(taken))
        }

        fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
            self.poll_ready(context).map(Ok)
        }

        fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
            self.poll_ready(context).map(Ok)
        }
    }

    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Relaxed);
        }
    }

    fn write(gathered: &mut Gathered<Sink>, context: &mut Context<'_>, bytes: &[u8]) {
        let written = Pin::new(gathered).poll_write(context, bytes);
        assert!(matches!(written, Poll::Ready(Ok(length)) if length == bytes.len()), "{written:?}");
    }

    #[test]
    fn what_is_written_before_the_others_had_their_turn_leaves_in_one_piece() {
        let wakes = Arc::new(Wakes::default());
        let waker = Waker::from(Arc::clone(&wakes));
        let mut context = Context::from_waker(&waker);
        let mut gathered = Gathered::new(Sink::new(100, false));
        for turn in 1..=2 {
            write(&mut gathered, &mut context, b"one ");
            assert!(Pin::new(&mut gathered).poll_flush(&mut context).is_pending());
            assert_eq!(wakes.0.load(Relaxed), turn, "it comes back by itself");
            write(&mut gathered, &mut context, b"two");
            assert!(Pin::new(&mut gathered).poll_flush(&mut context).is_ready());
            assert_eq!(gathered.inner.writes.len(), turn);
            assert_eq!(gathered.inner.writes[turn - 1], b"one two");
        }
        assert!(Pin::new(&mut gathered).poll_flush(&mut context).is_ready(), "nothing to send, nothing to wait for");
    }

    #[tokio::test]
    async fn nothing_is_lost_to_a_busy_socket_that_takes_little_at_a_time() {
        let mut gathered = Gathered::new(Sink::new(7_000, true));
        let mut all = Vec::new();
        for length in [11, GATHERED_BYTES_MAX - 5, 20_000, 3, GATHERED_BYTES_MAX, GATHERED_BYTES_MAX + 1] {
            let bytes: Vec<u8> = (0..length).map(|at| (at * 31 + length) as u8).collect();
            gathered.write_all(&bytes).await.unwrap();
            all.extend(bytes);
            if length == 3 {
                gathered.flush().await.unwrap();
                assert!(gathered.inner.writes.concat() == all, "all has left after a flush");
            }
        }
        gathered.shutdown().await.unwrap();
        assert!(gathered.inner.writes.concat() == all, "all has left at the end");
    }
}
