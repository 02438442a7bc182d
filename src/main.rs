//! Arguments → one of the faces of the binary → exit code; nothing else.
fn main() {}
