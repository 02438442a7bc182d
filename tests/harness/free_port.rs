//! Ports for servers that a test starts.

use std::net::{SocketAddr, ToSocketAddrs};
use std::os::fd::OwnedFd;
use std::sync::Mutex;

use rustix::net::sockopt::set_socket_reuseaddr;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, getsockname, socket_with};

/// Each is bound, and listens to nothing, until the tests end.
static KEPT: Mutex<Vec<OwnedFd>> = Mutex::new(Vec::new());

/// A port of `host` that nothing else gets while the tests run: the kernel gives a bound port to no other process that
/// asks for any, and to no connection that goes out. A server that asks for it by its number may have it, as both set
/// `SO_REUSEADDR`; until then it refuses connections.
pub fn free_port(host: &str) -> u16 {
    let address = (host, 0).to_socket_addrs().unwrap().next().unwrap();
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap();
    set_socket_reuseaddr(&socket, true).unwrap();
    bind(&socket, &address).unwrap();
    let address = SocketAddr::try_from(getsockname(&socket).unwrap()).unwrap();
    KEPT.lock().unwrap().push(socket);
    address.port()
}
