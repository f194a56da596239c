//! The aarch64 front end: what it knows of the guest.

pub mod decode;
pub mod features;
pub mod soft;
pub mod state;
