//! Sockets of a steady host: those of the host beneath. What comes from the network, ports and inode numbers included,
//! is not the program's to determine, and so is as it is.

use super::{SteadyHost, forward};
use crate::abi::Errno;
use crate::host::{Arrived, Data, DataMut, HostFd, Side, Sockets};

impl Sockets for SteadyHost {
    forward! {
        fn socket(&mut self, domain: u32, kind: u32, protocol: i32) -> Result<HostFd, Errno>;
        fn adopt_socket(&mut self, fd: &HostFd) -> Result<[u32; 3], Errno>;
        fn bind(&mut self, fd: &HostFd, address: &[u8]) -> Result<(), Errno>;
        fn connect(&mut self, fd: &HostFd, address: &[u8]) -> Result<(), Errno>;
        fn connect_node(&mut self, fd: &HostFd, node: &HostFd) -> Result<(), Errno>;
        fn listen(&mut self, fd: &HostFd, backlog: i32) -> Result<(), Errno>;
        fn accept(&mut self, fd: &HostFd) -> Result<(HostFd, Vec<u8>), Errno>;
        fn address(&mut self, fd: &HostFd, side: Side) -> Result<Vec<u8>, Errno>;
        fn send(
            &mut self,
            fd: &HostFd,
            to: Option<&[u8]>,
            data: Data<'_>,
            control: &[u8],
            files: &[HostFd],
            flags: u32
        ) -> Result<usize, Errno>;
        fn receive(&mut self, fd: &HostFd, data: DataMut<'_>, room: usize, flags: u32) -> Result<Arrived, Errno>;
        fn shutdown(&mut self, fd: &HostFd, how: u32) -> Result<(), Errno>;
        fn option(&mut self, fd: &HostFd, level: u32, name: u32, value: &mut [u8]) -> Result<usize, Errno>;
        fn set_option(&mut self, fd: &HostFd, level: u32, name: u32, value: &[u8]) -> Result<(), Errno>;
        fn attach_filter(&mut self, fd: &HostFd, program: &[u8]) -> Result<(), Errno>;
        fn socket_number(&mut self, fd: &HostFd, request: u32) -> Result<i32, Errno>;
        fn interface(&mut self, fd: &HostFd, request: u32, bytes: &mut [u8]) -> Result<(), Errno>;
        fn interfaces(&mut self, fd: &HostFd, max: Option<usize>) -> Result<(Vec<u8>, usize), Errno>;
    }
}
