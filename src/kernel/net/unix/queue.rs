//! Messages on their way, and what all UNIX sockets of a machine share.

use super::name::Names;
use super::*;

/// What all ends of a machine share.
#[derive(Debug)]
pub(super) struct Shared {
    pub wakeups: Wakeups,
    pub names: RefCell<Names>,
    /// Open files that are under way in messages.
    pub files_under_way: Cell<usize>,
    /// What is to be dropped, one after the other: a socket may lie in the queue of a socket that lies in a queue, and
    /// so on.
    grave: RefCell<Vec<Remains>>,
    is_digging: Cell<bool>,
}

#[derive(Debug)]
enum Remains {
    Packet(#[expect(dead_code, reason = "kept to be dropped")] Packet),
    End(#[expect(dead_code, reason = "kept to be dropped")] Rc<End>),
}

impl Shared {
    pub fn new(wakeups: Wakeups) -> Shared {
        Shared {
            wakeups,
            names: RefCell::default(),
            files_under_way: Cell::new(0),
            grave: RefCell::default(),
            is_digging: Cell::new(false),
        }
    }

    /// Drops messages without going deep into the stack.
    pub fn bury(&self, packets: impl IntoIterator<Item = Packet>) {
        self.grave.borrow_mut().extend(packets.into_iter().map(Remains::Packet));
        self.dig();
    }

    /// Drops a hold on an end in the same way.
    pub fn bury_end(&self, end: Rc<End>) {
        self.grave.borrow_mut().push(Remains::End(end));
        self.dig();
    }

    fn dig(&self) {
        if self.is_digging.replace(true) {
            return;
        }
        loop {
            let next = self.grave.borrow_mut().pop();
            match next {
                Some(remains) => drop(remains),
                None => break,
            }
        }
        self.is_digging.set(false);
    }
}

/// A piece of a stream or a whole message.
#[derive(Debug)]
pub(super) struct Packet {
    bytes: Vec<u8>,
    /// Bytes that have been read.
    start: usize,
    files: Vec<Rc<File>>,
    /// Who sent it, if anybody wanted to know.
    pub sender: Option<UCred>,
    /// The sender's address.
    pub from: Rc<[u8]>,
    shared: Rc<Shared>,
    /// The sender and what it is charged with.
    origin: Weak<End>,
    charge: usize,
}

impl Packet {
    /// A message of `from`, charged to it.
    pub fn new(from: &Rc<End>, bytes: Vec<u8>, with: &mut Ancillary, sender: Option<UCred>) -> Packet {
        let files = std::mem::take(&mut with.files);
        let under_way = &from.shared.files_under_way;
        under_way.set(under_way.get() + files.len());
        let charge = true_size(from.kind, bytes.len());
        from.sent.set(from.sent.get() + charge);
        let address = Rc::clone(&from.state.borrow().address);
        let (shared, origin) = (Rc::clone(&from.shared), Rc::downgrade(from));
        Packet { bytes, start: 0, files, sender, from: address, shared, origin, charge }
    }

    /// The bytes that nobody has read.
    pub fn left(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    pub fn consume(&mut self, n: usize) {
        self.start = (self.start + n).min(self.bytes.len());
    }

    /// The open files in it.
    pub fn files(&self) -> &[Rc<File>] {
        &self.files
    }

    /// Takes the open files out.
    pub fn take_files(&mut self) -> Vec<Rc<File>> {
        let under_way = &self.shared.files_under_way;
        under_way.set(under_way.get() - self.files.len());
        std::mem::take(&mut self.files)
    }
}

impl Drop for Packet {
    fn drop(&mut self) {
        let under_way = &self.shared.files_under_way;
        under_way.set(under_way.get() - self.files.len());
        if let Some(origin) = self.origin.upgrade() {
            origin.sent.set(origin.sent.get().saturating_sub(self.charge));
            origin.wake();
        }
    }
}

/// What a message of `len` bytes is charged with: Linux counts the memory that holds it (skb->truesize).
fn true_size(kind: Kind, len: usize) -> usize {
    /// A `struct sk_buff`, and a `struct skb_shared_info` behind the bytes.
    const BUFFER: usize = 256;
    const SHARED_INFO: usize = 320;
    const PAGE: usize = crate::mem::PAGE_SIZE as usize;
    /// Bytes that lie beside the pages at most, of a stream and of a datagram.
    const STREAM_HEAD: usize = PAGE - SHARED_INFO;
    const DATAGRAM_HEAD: usize = 4 * PAGE - SHARED_INFO;
    let head = if kind == Kind::Stream { STREAM_HEAD } else { DATAGRAM_HEAD };
    let in_pages = len.min(len.saturating_sub(head).next_multiple_of(PAGE));
    let beside = (len - in_pages + SHARED_INFO).max(512).next_power_of_two();
    BUFFER + beside + in_pages.next_multiple_of(PAGE)
}
