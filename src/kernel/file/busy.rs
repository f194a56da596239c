//! Files that run must not be written to, and files that are written to must not be run (`ETXTBSY`; `i_writecount` of
//! Linux).

use super::*;

/// What keeps a regular file from being used otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// It is open for writing.
    Written,
    /// It is the program of a process.
    Run,
}

impl Use {
    fn step(self) -> i64 {
        match self {
            Use::Written => 1,
            Use::Run => -1,
        }
    }
}

/// A file: its device and inode.
type Inode = (u64, u64);

/// How guests use files: a positive number of open files that may write, or a negative one of programs that run.
#[derive(Clone, Debug, Default)]
pub struct Uses(Rc<RefCell<BTreeMap<Inode, i64>>>);

/// One such use, which ends when this is dropped.
#[derive(Debug)]
pub struct Hold {
    uses: Uses,
    inode: Inode,
    how: Use,
}

impl Uses {
    /// Whether a file may be used so now.
    ///
    /// # Errors
    /// `ETXTBSY`.
    pub fn check(&self, stat: &FileStat, how: Use) -> Result<(), Errno> {
        let count = self.0.borrow().get(&(stat.dev, stat.ino)).copied().unwrap_or(0);
        if count * how.step() < 0 { Err(Errno::ETXTBSY) } else { Ok(()) }
    }

    /// Begins to use a file.
    ///
    /// # Errors
    /// `ETXTBSY`.
    pub fn begin(&self, stat: &FileStat, how: Use) -> Result<Hold, Errno> {
        self.check(stat, how)?;
        let inode = (stat.dev, stat.ino);
        *self.0.borrow_mut().entry(inode).or_insert(0) += how.step();
        Ok(Hold { uses: self.clone(), inode, how })
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut uses = self.uses.0.borrow_mut();
        let Some(count) = uses.get_mut(&self.inode) else { return };
        *count -= self.how.step();
        if *count == 0 {
            uses.remove(&self.inode);
        }
    }
}
