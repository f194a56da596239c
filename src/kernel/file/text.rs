//! Files whose text the kernel makes, such as those of /proc.

use super::*;

type Make = dyn Fn(&mut Ctx) -> Result<Vec<u8>, Errno>;

/// What a write to such a file does: it gets the bytes of one write(2).
pub type TextWriter = dyn Fn(&mut Ctx, &[u8]) -> Result<(), Errno>;

/// A file whose text is made when it is read from its start, as seq_file of Linux does: a reader that goes back to the
/// start sees new text.
pub struct Text {
    make: Box<Make>,
    write: Option<Box<TextWriter>>,
    text: RefCell<Option<Vec<u8>>>,
    stat: FileStat,
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Text").field("stat", &self.stat).finish_non_exhaustive()
    }
}

impl Text {
    /// A file that is described by `stat` and whose text `make` gives.
    pub fn new(stat: FileStat, make: impl Fn(&mut Ctx) -> Result<Vec<u8>, Errno> + 'static) -> Text {
        Text { make: Box::new(make), write: None, text: RefCell::new(None), stat }
    }

    /// It can be written too.
    pub fn writable(mut self, write: impl Fn(&mut Ctx, &[u8]) -> Result<(), Errno> + 'static) -> Text {
        self.write = Some(Box::new(write));
        self
    }
}

impl FileOps for Text {
    fn kind(&self) -> FileKind {
        FileKind::Regular
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn is_seekable(&self) -> bool {
        true
    }

    fn read(&self, ctx: &mut Ctx, file: &File, buf: &mut Buffer, how: Access) -> Result<usize, Stop> {
        let at = how.at.unwrap_or(file.offset.get());
        if at == 0 || self.text.borrow().is_none() {
            let text = (self.make)(ctx)?;
            *self.text.borrow_mut() = Some(text);
        }
        let text = self.text.borrow();
        let rest = text.as_deref().and_then(|t| t.get(usize::try_from(at).ok()?..)).unwrap_or_default();
        let n = buf.put(rest)?;
        if how.at.is_none() {
            file.offset.set(at + n as u64);
        }
        Ok(n)
    }

    fn write(&self, ctx: &mut Ctx, file: &File, buf: &mut Buffer, how: Access) -> Result<usize, Stop> {
        // The bound is PAGE_SIZE in Linux, for all that take a value.
        let Some(write) = &self.write else { return Err(Errno::EINVAL.into()) };
        let mut bytes = vec![0; (buf.left() as usize).min(crate::mem::PAGE_SIZE as usize)];
        let n = buf.get(&mut bytes)?;
        write(ctx, &bytes[..n])?;
        if how.at.is_none() {
            file.offset.set(file.offset.get() + n as u64);
        }
        Ok(n)
    }

    fn seek(&self, _ctx: &mut Ctx, file: &File, offset: i64, whence: u32) -> Result<u64, Errno> {
        file.seek_without_end(offset, whence)
    }

    fn stat(&self, _ctx: &mut Ctx, _file: &File) -> Result<FileStat, Errno> {
        Ok(self.stat)
    }
}
