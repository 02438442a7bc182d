//! Where a command writes: buffered, and silent once nobody reads.

use std::fmt;
use std::io::{self, BufWriter, Write};

/// Standard output and error of a command.
pub struct Output<'a> {
    out: BufWriter<Box<dyn Write + 'a>>,
    err: Box<dyn Write + 'a>,
    /// Whether a person reads standard error.
    terminal: bool,
    /// Why nothing more is written.
    broken: Option<io::Error>,
}

impl<'a> Output<'a> {
    /// An output that writes to `out` and `err`. Advice is given only if `err` is a terminal.
    pub fn new(out: Box<dyn Write + 'a>, err: Box<dyn Write + 'a>, terminal: bool) -> Output<'a> {
        Output { out: BufWriter::with_capacity(64 << 10, out), err, terminal, broken: None }
    }

    /// Adds a line. It is seen at the latest when the command ends or waits.
    pub(super) fn line(&mut self, text: &str) {
        if self.broken.is_none() {
            let written = self.out.write_all(text.as_bytes()).and_then(|()| self.out.write_all(b"\n"));
            self.broken = written.err();
        }
    }

    /// Adds bytes as they are. Says whether anybody still reads.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> bool {
        if self.broken.is_none() {
            self.broken = self.out.write_all(bytes).err();
        }
        self.broken.is_none()
    }

    /// Whether a person reads standard error.
    pub(super) fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Shows what was written, before something that may take long.
    pub(super) fn flush(&mut self) {
        if self.broken.is_none() {
            self.broken = self.out.flush().err();
        }
    }

    /// Writes a line to standard error.
    pub(super) fn complain(&mut self, text: &str) {
        self.flush();
        // Nothing is left to which a failure could be told.
        let _ = writeln!(self.err, "{text}");
    }

    /// Writes a line to standard error if a person reads there. Scripts see what 1.2.0 wrote and no more.
    pub(super) fn advise(&mut self, text: &str) {
        if self.terminal {
            self.complain(text);
        }
    }

    /// Writes the rest. That the reader has gone is no error: `alluxio fs ls -R / | head`.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.flush();
        match self.broken.take() {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Output<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output").field("terminal", &self.terminal).field("broken", &self.broken).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::Output;
    use std::io::{self, Write};

    struct Failing(io::ErrorKind);

    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn finish_of(kind: io::ErrorKind) -> io::Result<()> {
        let mut output = Output::new(Box::new(Failing(kind)), Box::new(io::sink()), false);
        output.line("anything");
        output.finish()
    }

    #[test]
    fn a_reader_that_has_gone_is_no_error_but_a_full_disk_is() {
        assert!(finish_of(io::ErrorKind::BrokenPipe).is_ok());
        assert_eq!(
            finish_of(io::ErrorKind::StorageFull).map_err(|error| error.kind()),
            Err(io::ErrorKind::StorageFull)
        );
    }

    #[test]
    fn advice_reaches_persons_only() {
        let told = |terminal| {
            let mut err = Vec::new();
            Output::new(Box::new(io::sink()), Box::new(&mut err), terminal).advise("look there");
            String::from_utf8(err)
        };
        assert_eq!(told(true), Ok("look there\n".into()));
        assert_eq!(told(false), Ok(String::new()));
    }
}
