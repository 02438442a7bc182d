//! A connection that sends at once what several tasks have written to it.
//!
//! Calls of one connection that end in the same moment, as those do that a flush of the journal decides, each have their
//! answer written by a task of its own, and HTTP/2 flushes after each: a system call and a segment of TCP for every
//! answer. This one lets all tasks that are ready go first, once, and sends what has gathered meanwhile.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tonic::transport::server::Connected;

/// What is gathered at most. Longer writes, as blocks are, are not copied.
const GATHERED_BYTES_MAX: usize = 16 << 10;

/// See the module text.
pub(super) struct Gathered<T> {
    inner: T,
    written: BytesMut,
    /// The others have been let go first since the last flush that sent something.
    yielded: bool,
}

impl<T> Gathered<T> {
    /// Gathers what is written to `inner`.
    pub(super) fn new(inner: T) -> Gathered<T> {
        Gathered { inner, written: BytesMut::new(), yielded: false }
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

    /// Takes `room` bytes with each write, and counts the writes.
    struct Sink {
        writes: Vec<Vec<u8>>,
        room: usize,
    }

    impl AsyncWrite for Sink {
        fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            let taken = bytes.len().min(self.room);
            self.writes.push(bytes[..taken].to_vec());
            Poll::Ready(Ok(taken))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
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
        let mut gathered = Gathered::new(Sink { writes: Vec::new(), room: 100 });
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

    #[test]
    fn long_writes_leave_at_once_behind_what_was_gathered_and_nothing_is_lost_to_a_full_socket() {
        let mut context = Context::from_waker(Waker::noop());
        let mut gathered = Gathered::new(Sink { writes: Vec::new(), room: 7 });
        write(&mut gathered, &mut context, b"a short one");
        let long = vec![1; GATHERED_BYTES_MAX + 1];
        assert!(matches!(Pin::new(&mut gathered).poll_write(&mut context, &long), Poll::Ready(Ok(7))));
        write(&mut gathered, &mut context, b"end");
        assert!(Pin::new(&mut gathered).poll_shutdown(&mut context).is_ready());
        assert_eq!(gathered.inner.writes.concat(), [b"a short one".as_slice(), &[1; 7], b"end"].concat());
    }
}
