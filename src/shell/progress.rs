//! How far a copy has come, shown to a person.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Output;

/// Shorter copies are over before anybody reads a bar.
const SHOWN_BYTES_MIN: u64 = 16 << 20;

/// A bar on standard error, if that is a terminal; otherwise nothing. It is gone when the copy is over.
pub(super) struct Progress(ProgressBar);

impl Progress {
    pub(super) fn new(output: &Output<'_>, name: &str, length: u64) -> Progress {
        let target = match output.is_terminal() && length >= SHOWN_BYTES_MIN {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(Some(length), target).with_message(name.to_owned());
        let style = "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
        Progress(bar.with_style(ProgressStyle::with_template(style).expect("the template is well formed")))
    }

    pub(super) fn add(&self, bytes: usize) {
        self.0.inc(bytes as u64);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
