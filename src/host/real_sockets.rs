//! Sockets of the real host.

use super::{Arrived, Data, DataMut, HostFd, RealHost, Side, Sockets, sys};
use crate::abi::Errno;

const SOL_SOCKET: u32 = 1;

impl Sockets for RealHost {
    fn socket(&mut self, domain: u32, kind: u32, protocol: i32) -> Result<HostFd, Errno> {
        sys::socket(domain as i32, kind as i32, protocol)
    }

    fn adopt_socket(&mut self, fd: &HostFd) -> Result<[u32; 3], Errno> {
        let (so_domain, so_type, so_protocol) = (39, 3, 38);
        let mut number = |name| {
            let mut value = [0; 4];
            self.option(fd, SOL_SOCKET, name, &mut value)?;
            Ok::<u32, Errno>(u32::from_ne_bytes(value))
        };
        let facts = [number(so_domain)?, number(so_type)?, number(so_protocol)?];
        let flags = rustix::fs::fcntl_getfl(fd)?;
        rustix::fs::fcntl_setfl(fd, flags | rustix::fs::OFlags::NONBLOCK)?;
        Ok(facts)
    }

    fn bind(&mut self, fd: &HostFd, address: &[u8]) -> Result<(), Errno> {
        sys::bind(fd, address)
    }

    fn connect(&mut self, fd: &HostFd, address: &[u8]) -> Result<(), Errno> {
        sys::connect(fd, address)
    }

    fn connect_node(&mut self, fd: &HostFd, node: &HostFd) -> Result<(), Errno> {
        let mut address = vec![1, 0];
        address.extend(format!("/proc/self/fd/{}\0", node.raw()).into_bytes());
        sys::connect(fd, &address)
    }

    fn listen(&mut self, fd: &HostFd, backlog: i32) -> Result<(), Errno> {
        sys::listen(fd, backlog)
    }

    fn accept(&mut self, fd: &HostFd) -> Result<(HostFd, Vec<u8>), Errno> {
        sys::accept(fd)
    }

    fn address(&mut self, fd: &HostFd, side: Side) -> Result<Vec<u8>, Errno> {
        sys::socket_address(fd, side)
    }

    fn send(
        &mut self,
        fd: &HostFd,
        to: Option<&[u8]>,
        data: Data<'_>,
        control: &[u8],
        files: &[HostFd],
        flags: u32,
    ) -> Result<usize, Errno> {
        let mut control = control.to_vec();
        if !files.is_empty() {
            let scm_rights = 1u32;
            control.resize(control.len().next_multiple_of(8), 0);
            control.extend((16 + 4 * files.len() as u64).to_ne_bytes());
            control.extend(SOL_SOCKET.to_ne_bytes());
            control.extend(scm_rights.to_ne_bytes());
            files.iter().for_each(|f| control.extend(f.raw().to_ne_bytes()));
        }
        sys::send(fd, to, data, &control, flags)
    }

    fn receive(&mut self, fd: &HostFd, data: DataMut<'_>, room: usize, flags: u32) -> Result<Arrived, Errno> {
        sys::receive(fd, data, room, flags)
    }

    fn shutdown(&mut self, fd: &HostFd, how: u32) -> Result<(), Errno> {
        sys::shutdown(fd, how)
    }

    fn option(&mut self, fd: &HostFd, level: u32, name: u32, value: &mut [u8]) -> Result<usize, Errno> {
        sys::socket_option(fd, level, name, value)
    }

    fn set_option(&mut self, fd: &HostFd, level: u32, name: u32, value: &[u8]) -> Result<(), Errno> {
        sys::set_socket_option(fd, level, name, value)
    }

    fn attach_filter(&mut self, fd: &HostFd, program: &[u8]) -> Result<(), Errno> {
        sys::attach_filter(fd, program)
    }

    fn socket_number(&mut self, fd: &HostFd, request: u32) -> Result<i32, Errno> {
        sys::socket_number(fd, request)
    }

    fn interface(&mut self, fd: &HostFd, request: u32, bytes: &mut [u8]) -> Result<(), Errno> {
        sys::interface(fd, request, bytes)
    }

    fn interfaces(&mut self, fd: &HostFd, max: Option<usize>) -> Result<(Vec<u8>, usize), Errno> {
        sys::interfaces(fd, max)
    }
}
