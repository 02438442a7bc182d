//! What a damaged journal holds and what can be made of it, for people.

use std::io::{self, Write};

use super::journal_salvage::{Salvage, Worth};
use super::journal_scan::Scan;

impl Salvage {
    /// Records that were acknowledged and cannot be recovered.
    pub fn lost_acknowledged(&self) -> u64 {
        let lost = self.acknowledged.0.saturating_sub(self.end.sequence.0);
        lost.max(u64::from(self.contradicted.is_some()))
    }

    /// Writes all that is there, what is damaged, what can be recovered, and what is lost.
    ///
    /// # Errors
    /// The output.
    pub fn write(&self, output: &mut dyn Write) -> io::Result<()> {
        writeln!(output, "What is there:")?;
        let listed: Vec<_> = self.scans.iter().map(|scan| scan.segment).collect();
        let mut names: Vec<_> = self.missing.iter().copied().chain(listed).collect();
        names.sort_unstable();
        for name in names {
            match self.scans.iter().find(|scan| scan.segment == name) {
                Some(scan) => write_scan(scan, output)?,
                None => writeln!(output, "  {name} is missing")?,
            }
        }
        for segment in &self.other_segments {
            writeln!(output, "  {segment}: of a history before this one, not needed")?;
        }
        for (id, worth) in &self.checkpoints {
            match worth {
                Worth::Sound => writeln!(output, "  {id}: can be loaded")?,
                Worth::OtherHistory => writeln!(output, "  {id}: of a history before this one, not needed")?,
                Worth::Damaged(reason) => writeln!(output, "  {id} is damaged: {reason}")?,
            }
        }
        if let Some((position, reason)) = &self.misfit {
            writeln!(output, "  record {position} does not fit the state before it: {reason}")?;
        }
        self.write_result(output)
    }

    fn write_result(&self, output: &mut dyn Write) -> io::Result<()> {
        writeln!(output, "Whole from the beginning up to record {}.", self.whole_to)?;
        match &self.begins_with {
            None => writeln!(output, "Can be recovered: all records up to {}.", self.end)?,
            Some(id) => writeln!(output, "Can be recovered: the state of {id} and all records up to {}.", self.end)?,
        }
        let first = self.end.sequence.next();
        match self.lost_acknowledged() {
            0 => writeln!(output, "Nothing is lost of what is known to be acknowledged.")?,
            _ if self.contradicted.is_some() => writeln!(
                output,
                "Lost: record {}, which was acknowledged; another one stands in its place.",
                self.contradicted.unwrap_or_default()
            )?,
            lost => writeln!(
                output,
                "Lost: records {first} to {}, {lost} in all, which were acknowledged.",
                self.acknowledged
            )?,
        }
        let known = self.acknowledged.max(self.end.sequence);
        if self.written > known {
            let (first, last) = (known.next(), self.written);
            writeln!(
                output,
                "Lost: records {first} to {last}, of which it is not known whether they were acknowledged."
            )?;
        }
        if self.end.sequence > self.acknowledged {
            let first = self.acknowledged.next();
            let last = self.end.sequence;
            writeln!(
                output,
                "Of records {first} to {last} it is not known whether they were acknowledged; they are kept."
            )?;
        }
        if !self.is_told {
            writeln!(output, "No epoch node tells of this history: more may have been acknowledged at its end.")?;
        }
        Ok(())
    }
}

fn write_scan(scan: &Scan, output: &mut dyn Write) -> io::Result<()> {
    let Scan { segment, length, .. } = scan;
    match (scan.first(), scan.last()) {
        (Some(first), Some(last)) => {
            writeln!(output, "  {segment}: {length} bytes, records {} to {}", first.sequence, last.sequence)?;
        }
        _ => writeln!(output, "  {segment}: {length} bytes, no records")?,
    }
    for gap in &scan.gaps {
        let after = gap.after.map_or_else(|| "at its beginning".to_owned(), |after| format!("after record {after}"));
        let then = match gap.to {
            to if to >= *length => "nothing behind it is whole".to_owned(),
            to => format!("whole again from byte {to} on"),
        };
        writeln!(output, "    damaged at byte {}, {after}: {}; {then}", gap.offset, gap.reason)?;
    }
    if let Some(torn) = scan.torn_at {
        writeln!(output, "    ends at byte {torn}: what follows is no whole frame, or zeros")?;
    }
    Ok(())
}
