//! The blocks of a worker: files in the directories of its tiers.
//!
//! `plan.rs` decides where a block goes and what goes for it, `catalog.rs` knows what there is; both are pure.
//! `folder.rs` has names and permissions, `blocks.rs` does with files what the catalog says.

mod blocks;
mod catalog;
mod error;
mod folder;
mod plan;

pub use blocks::{
    Begun, BlockStore, DirectorySettings, Grown, PlacedBlock, ReadableBlock, StoreSettings, WritableBlock,
};
pub use catalog::{Change, container};
pub use error::StoreError;
pub use folder::Folder;
