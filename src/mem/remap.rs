//! Moving and resizing mappings: mremap(2).

use super::area::{Area, Prot};
use super::region::PageMap;
use super::space::{MAX_AREAS, Space, TASK_SIZE};
use super::{GuestAddr, PAGE_SIZE, page_align};
use crate::abi::Errno;

bitflags::bitflags! {
    /// `MREMAP_*`.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct RemapFlags: u32 {
        /// `MREMAP_MAYMOVE`.
        const MAYMOVE = 1;
        /// `MREMAP_FIXED`.
        const FIXED = 2;
        /// `MREMAP_DONTUNMAP`.
        const DONTUNMAP = 4;

        // A guest may set any bit; the unknown ones are refused by `remap`.
        const _ = !0;
    }
}

impl RemapFlags {
    const KNOWN: RemapFlags = RemapFlags::MAYMOVE.union(RemapFlags::FIXED).union(RemapFlags::DONTUNMAP);
}

/// A request that has passed the checks that need no area.
struct Remap {
    old: u64,
    old_len: u64,
    new_len: u64,
    flags: RemapFlags,
}

impl Space {
    /// mremap(2): resizes or moves a mapping and returns its address. `old_len` 0 makes a second mapping of shared
    /// memory. `new` counts with `FIXED`, and as a hint with `DONTUNMAP`.
    ///
    /// # Errors
    /// EINVAL (flags, misaligned, overlapping, empty), EFAULT (not one mapping), ENOMEM (no room, limits), EAGAIN
    /// (locked memory), EPERM (sealed).
    pub fn remap(
        &mut self,
        old: GuestAddr,
        old_len: u64,
        new_len: u64,
        flags: RemapFlags,
        new: GuestAddr,
    ) -> Result<GuestAddr, Errno> {
        let moves = flags.contains(RemapFlags::MAYMOVE);
        let keeps = flags.contains(RemapFlags::DONTUNMAP);
        let fixed = flags.contains(RemapFlags::FIXED);
        if !RemapFlags::KNOWN.contains(flags) || (fixed || keeps) && !moves || keeps && old_len != new_len {
            return Err(Errno::EINVAL);
        }
        // Lengths that wrap become 0 on Linux.
        let (old_len, new_len) = (page_align(old_len).unwrap_or(0), page_align(new_len).unwrap_or(0));
        if !old.is_page_aligned() || new_len == 0 || new_len > TASK_SIZE {
            return Err(Errno::EINVAL);
        }
        let r = Remap { old: old.0, old_len, new_len, flags };
        if fixed || keeps {
            self.check_target(&r, new)?;
        }
        let area = self.area_at(old).ok_or(Errno::EFAULT)?;
        if area.sealed {
            return Err(Errno::EPERM);
        }
        if fixed || keeps { self.remap_to(r, new, fixed) } else { self.remap_in_place(r) }
    }

    fn check_target(&self, r: &Remap, new: GuestAddr) -> Result<(), Errno> {
        let room = self.limit().checked_sub(r.new_len).ok_or(Errno::EINVAL)?;
        let overlaps = |a: u64, a_len: u64, b: u64| a.saturating_add(a_len) > b;
        if !new.is_page_aligned()
            || new.0 > room
            || overlaps(r.old, r.old_len, new.0) && overlaps(new.0, r.new_len, r.old)
        {
            return Err(Errno::EINVAL);
        }
        // Linux wants room for the areas that a move may make for a moment.
        if self.areas.len() + 2 >= MAX_AREAS - 3 {
            return Err(Errno::ENOMEM);
        }
        Ok(())
    }

    /// Without a target: shrinks, grows where it is, or moves to where there is room.
    fn remap_in_place(&mut self, r: Remap) -> Result<GuestAddr, Errno> {
        if r.old_len >= r.new_len {
            if r.old_len > r.new_len {
                self.unmap(GuestAddr(r.old + r.new_len), r.old_len - r.new_len)?;
            }
            return Ok(GuestAddr(r.old));
        }
        let area = self.check_resize(&r)?;
        let more = r.new_len - r.old_len;
        let at_end = r.old_len != 0 && r.old + r.old_len == area.end.0;
        let free_behind = area
            .end
            .checked_add(more)
            .is_some_and(|end| end.0 <= self.limit() && self.overlapping(area.end.0, end.0).next().is_none());
        if at_end && free_behind {
            self.extend(area, more)?;
            return Ok(GuestAddr(r.old));
        }
        if !r.flags.contains(RemapFlags::MAYMOVE) {
            return Err(Errno::ENOMEM);
        }
        let new = self.find_free(r.new_len, 0).ok_or(Errno::ENOMEM)?;
        self.move_mapping(&r, new)
    }

    /// With a target: FIXED replaces what is there, DONTUNMAP alone takes it for a hint.
    fn remap_to(&mut self, mut r: Remap, new: GuestAddr, fixed: bool) -> Result<GuestAddr, Errno> {
        if fixed {
            self.unmap(new, r.new_len)?;
        }
        if r.old_len > r.new_len {
            self.unmap(GuestAddr(r.old + r.new_len), r.old_len - r.new_len)?;
            r.old_len = r.new_len;
        }
        self.check_resize(&r)?;
        if r.flags.contains(RemapFlags::DONTUNMAP) && !self.may_expand(r.old_len, false) {
            return Err(Errno::ENOMEM);
        }
        let new = match fixed {
            true => new.0,
            false => self.find_free(r.new_len, new.0).ok_or(Errno::ENOMEM)?,
        };
        self.move_mapping(&r, new)
    }

    /// The area to resize, if the range lies in it and the limits permit.
    fn check_resize(&self, r: &Remap) -> Result<Area, Errno> {
        let area = self.area_at(GuestAddr(r.old)).ok_or(Errno::EFAULT)?;
        if r.old_len == 0 && !area.shared {
            return Err(Errno::EINVAL);
        }
        if r.old_len > area.end.0 - r.old {
            return Err(Errno::EFAULT);
        }
        if r.new_len > r.old_len {
            let more = r.new_len - r.old_len;
            let offset = area.offset() + (r.old - area.start.0);
            if offset.checked_add(r.new_len).is_none() {
                return Err(Errno::EINVAL);
            }
            if area.locked && !self.may_lock(more) {
                return Err(Errno::EAGAIN);
            }
            if !self.may_expand(more, area.is_data()) || area.is_data() && more > self.limits.commit {
                return Err(Errno::ENOMEM);
            }
        }
        Ok(area.clone())
    }

    /// Adds `more` bytes, known to be free, at the end of an area.
    fn extend(&mut self, area: Area, more: u64) -> Result<(), Errno> {
        let end = area.end;
        let mut tail = area;
        let mut tail = tail.split_off(end);
        tail.end = GuestAddr(end.0 + more);
        let locked = tail.locked;
        self.place(tail)?;
        if locked {
            self.populate(end.0, end.0 + more);
        }
        Ok(())
    }

    /// Moves (or with `old_len` 0 doubles) a part of one area to free addresses.
    fn move_mapping(&mut self, r: &Remap, new: u64) -> Result<GuestAddr, Errno> {
        let area = self.area_at(GuestAddr(r.old)).ok_or(Errno::EFAULT)?.clone();
        let mut moved = area.clone();
        let mut moved = moved.split_off(GuestAddr(r.old));
        moved.start = GuestAddr(new);
        moved.end = GuestAddr(new + r.new_len);
        self.place(moved.clone())?;
        if !area.shared && r.old_len > 0 {
            self.move_pages(r.old, new, r.old_len, &moved)?;
        }
        if r.old_len == 0 {
            return Ok(GuestAddr(new));
        }
        if r.flags.contains(RemapFlags::DONTUNMAP) {
            self.update(r.old, r.old + r.old_len, |area| area.locked = false);
            self.changed(r.old, r.old_len);
        } else {
            self.unmap_range(r.old, r.old + r.old_len)?;
        }
        if moved.locked {
            self.populate(new, new + r.new_len);
        }
        Ok(GuestAddr(new))
    }

    /// Moves the bytes of private pages; the old ones are then as if never touched.
    fn move_pages(&self, old: u64, new: u64, len: u64, moved: &Area) -> Result<(), Errno> {
        if self.window.relocate(old, new, len).is_ok() {
            return Ok(());
        }
        // The host sees more than one mapping there, or cannot keep the source: copy what differs from a new mapping.
        let part = Area { end: GuestAddr(new + len), ..moved.clone() };
        self.map_host(&part)?;
        let source = Area { start: GuestAddr(old), end: GuestAddr(old + len), ..moved.clone() };
        copy_own_pages(self, &source, self, &part)?;
        self.map_host(&source)
    }
}

/// Copies the pages of a private area that hold bytes of their own to the same places of an equally mapped, untouched
/// area, whatever the protection of either.
pub(super) fn copy_own_pages(from: &Space, source: &Area, to: &Space, target: &Area) -> Result<(), Errno> {
    PageMap::open().own_pages(&from.window, source.start.0, source.len(), |at, len| {
        copy_own_run(from, source, to, target, at, len)
    })
}

/// Copies a run of such pages, which begins at `at` of the source.
pub(super) fn copy_own_run(
    from: &Space,
    source: &Area,
    to: &Space,
    target: &Area,
    at: u64,
    len: u64,
) -> Result<(), Errno> {
    const CHUNK: u64 = 64 * PAGE_SIZE;
    let file = !source.is_private_anonymous();
    let start = at - source.start.0 + target.start.0;
    let mut buf = vec![0u8; CHUNK.min(len) as usize];
    let opened = source.prot.is_empty();
    if opened {
        from.window.protect(at, len, Prot::READ)?;
    }
    let closed = !target.prot.contains(Prot::WRITE);
    if closed {
        to.window.protect(start, len, Prot::READ | Prot::WRITE)?;
    }
    let mut done = 0;
    while done < len {
        let n = CHUNK.min(len - done);
        copy_part(from, at + done, to, start + done, &mut buf[..n as usize], file)?;
        done += n;
    }
    if closed {
        to.window.protect(start, len, target.prot)?;
    }
    if opened {
        from.window.protect(at, len, source.prot)?;
    }
    Ok(())
}

/// Copies whole pages by way of `buf`. Zero pages of anonymous memory are left out: the target has them already.
fn copy_part(from: &Space, at: u64, to: &Space, target: u64, buf: &mut [u8], file: bool) -> Result<(), Errno> {
    if !file {
        from.window.read_plain(at, buf)?;
        for (i, page) in buf.chunks(PAGE_SIZE as usize).enumerate() {
            if page.iter().any(|&b| b != 0) {
                to.window.write_plain(target + i as u64 * PAGE_SIZE, page)?;
            }
        }
        return Ok(());
    }
    // Pages behind the end of the file cannot be read, and need not be.
    for (i, page) in buf.chunks_mut(PAGE_SIZE as usize).enumerate() {
        let shift = i as u64 * PAGE_SIZE;
        if from.window.read_guarded(at + shift, page) == page.len() {
            to.window.write_guarded(target + shift, page);
        }
    }
    Ok(())
}
