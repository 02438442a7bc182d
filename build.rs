//! Compiles the message files. No system `protoc` is needed.

/// Message files of Alluxio 2.9.6 that we serve or journal, and our own.
const FILES: &[&str] = &[
    "grpc/block_master.proto",
    "grpc/block_worker.proto",
    "grpc/common.proto",
    "grpc/file_system_master.proto",
    "grpc/fscommon.proto",
    "grpc/meta_master.proto",
    "grpc/metric_master.proto",
    "grpc/sasl_server.proto",
    "grpc/version.proto",
    "proto/journal/journal.proto",
    "proto/meta/inode_meta.proto",
    "alluxio_rs/hdfs.proto",
    "alluxio_rs/journal.proto",
    "alluxio_rs/master.proto",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=proto");
    // Absolute, because some file names begin with "proto/" themselves.
    let include = std::path::Path::new(&std::env::var("CARGO_MANIFEST_DIR")?).join("proto");
    let set = protox::compile(FILES, [include])?;
    tonic_prost_build::configure()
        // Block data is passed on without a copy.
        .bytes(".alluxio.grpc.block.Chunk.data")
        // The order of what is journaled is that of the names.
        .btree_map(".alluxio.proto.journal")
        .btree_map(".alluxio.proto.meta")
        .include_file("messages.rs")
        .compile_fds(set)?;
    Ok(())
}
