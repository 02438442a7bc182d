//! What a figure is: its name as users of 1.2.0 know it, its kind, what it means.

/// Counts up, from 0 when the process begins. Clones share the count.
pub type Counter = prometheus_client::metrics::counter::Counter;

/// What a figure does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Counts up while the process lives.
    Counter,
    /// Is what it is now.
    Gauge,
}

/// A figure without its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// As in 1.2.0 where it has it: `CreateFileOps`.
    pub name: &'static str,
    /// What it does.
    pub kind: Kind,
    /// What it means, with its unit.
    pub meaning: &'static str,
}

impl Row {
    /// Its name in words with underscores: `create_file_ops`.
    pub fn snake_name(&self) -> String {
        let mut name = String::with_capacity(self.name.len() + 4);
        for letter in self.name.chars() {
            if letter.is_ascii_uppercase() && !name.is_empty() {
                name.push('_');
            }
            name.push(letter.to_ascii_lowercase());
        }
        name
    }
}

/// The value of a figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// A number of things, bytes, milliseconds.
    Whole(i64),
    /// Seconds.
    Seconds(f64),
}

impl From<i64> for Value {
    fn from(number: i64) -> Value {
        Value::Whole(number)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Value {
        Value::Whole(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<f64> for Value {
    fn from(seconds: f64) -> Value {
        Value::Seconds(seconds)
    }
}

/// A figure and its value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figure {
    /// Which.
    pub row: &'static Row,
    /// How much.
    pub value: Value,
}

/// Figures that belong together.
pub trait Figures {
    /// All of them.
    const ROWS: &'static [Row];

    /// Those whose values are known.
    fn figures(&self) -> Vec<Figure>;
}

/// Declares a struct of counters: `field: "Name", "meaning";`.
macro_rules! counters {
    ($(#[$doc:meta])* $table:ident { $($field:ident: $name:literal, $meaning:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Default)]
        pub struct $table {
            $(#[doc = $meaning] pub $field: $crate::metrics::Counter,)+
        }

        impl $crate::metrics::Figures for $table {
            const ROWS: &'static [$crate::metrics::Row] = &[$($crate::metrics::Row {
                name: $name, kind: $crate::metrics::Kind::Counter, meaning: $meaning,
            }),+];

            fn figures(&self) -> Vec<$crate::metrics::Figure> {
                let values = [$(self.$field.get()),+];
                Self::ROWS.iter().zip(values).map(|(row, value)| $crate::metrics::Figure { row, value: value.into() })
                    .collect()
            }
        }
    };
}

/// Declares a struct of values that are read when somebody asks: `field: type, Kind "Name", "meaning";`. What is not
/// known now is left out.
macro_rules! readings {
    ($(#[$doc:meta])* $table:ident { $($field:ident: $type:ty, $kind:ident $name:literal, $meaning:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct $table {
            $(#[doc = $meaning] pub $field: Option<$type>,)+
        }

        impl $crate::metrics::Figures for $table {
            const ROWS: &'static [$crate::metrics::Row] = &[$($crate::metrics::Row {
                name: $name, kind: $crate::metrics::Kind::$kind, meaning: $meaning,
            }),+];

            fn figures(&self) -> Vec<$crate::metrics::Figure> {
                let values = [$(self.$field.map($crate::metrics::Value::from)),+];
                let known = |(row, value): (_, Option<_>)| Some($crate::metrics::Figure { row, value: value? });
                Self::ROWS.iter().zip(values).filter_map(known).collect()
            }
        }
    };
}

pub(super) use {counters, readings};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{MasterCounters, MasterFigures, ProcessFigures, WorkerCounters, WorkerFigures};
    use std::collections::BTreeSet;

    #[test]
    fn a_name_stands_for_one_figure_of_a_server() {
        for tables in [[MasterCounters::ROWS, MasterFigures::ROWS], [WorkerCounters::ROWS, WorkerFigures::ROWS]] {
            let rows = || tables.iter().copied().chain([ProcessFigures::ROWS]).flatten();
            let names: BTreeSet<_> = rows().map(|row| row.snake_name()).collect();
            assert_eq!(names.len(), rows().count());
            assert!(rows().all(|row| row.meaning.ends_with('.') && row.name.starts_with(char::is_uppercase)));
        }
    }

    #[test]
    fn what_was_counted_is_told_and_what_is_not_known_is_not() {
        let counters = MasterCounters::default();
        counters.create_file_ops.inc_by(3);
        let told = |figures: &[Figure], name: &str| figures.iter().find(|f| f.row.name == name).map(|f| f.value);
        assert_eq!(told(&counters.figures(), "CreateFileOps"), Some(Value::Whole(3)));
        assert_eq!(told(&counters.figures(), "FreeFileOps"), Some(Value::Whole(0)));
        let figures = MasterFigures { workers: Some(2), ..MasterFigures::default() };
        assert_eq!(told(&figures.figures(), "Workers"), Some(Value::Whole(2)));
        assert_eq!(figures.figures().len(), 1);
    }
}
