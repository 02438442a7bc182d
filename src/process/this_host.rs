//! Whether a name is one of this machine's own.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs, UdpSocket};

/// Any port: nothing is sent there.
const PORT: u16 = 9;

/// True for `localhost`, the name of the machine, and what leads to one of its addresses. A name that leads nowhere is
/// not its own.
pub fn is_this_host(name: &str) -> bool {
    let machine = rustix::system::uname();
    if name == "localhost" || name.as_bytes() == machine.nodename().to_bytes() {
        return true;
    }
    (name, PORT).to_socket_addrs().is_ok_and(|mut found| found.any(|at| is_own(at.ip())))
}

/// What is sent to an address of the machine itself leaves from the same address, whatever interface has it. An attempt
/// to bind it would tell less: where `ip_nonlocal_bind` is on, it succeeds for all addresses.
fn is_own(address: IpAddr) -> bool {
    let any = match address {
        IpAddr::V4(_) => IpAddr::from(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::from(Ipv6Addr::UNSPECIFIED),
    };
    let source = UdpSocket::bind((any, 0)).and_then(|socket| {
        socket.connect((address, PORT))?;
        socket.local_addr()
    });
    address.is_loopback() || source.is_ok_and(|source| source.ip() == address)
}

#[cfg(test)]
mod tests {
    use super::is_this_host;

    #[test]
    fn names_and_addresses_of_the_machine_are_its_own() {
        let machine = rustix::system::uname().nodename().to_str().expect("Unicode").to_owned();
        for name in ["localhost", "127.0.0.1", "127.9.8.7", &machine] {
            assert!(is_this_host(name), "{name}");
        }
        // Addresses for documentation, which no machine has, and what is no name.
        for name in ["198.51.100.77", "0.0.0.0", "", "no such host", "user@localhost"] {
            assert!(!is_this_host(name), "{name}");
        }
    }
}
