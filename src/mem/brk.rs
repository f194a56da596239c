//! The two areas that grow: the program break, brk(2), and stacks.

use super::area::{AreaName, MapRequest, Prot};
use super::space::{MIN_ADDR, STACK_GAP, Space};
use super::{GuestAddr, PAGE_SIZE, page_align};

impl Space {
    /// Sets where the program break begins: behind the program's segments. The break area is then empty.
    pub fn set_brk_start(&mut self, addr: GuestAddr) {
        self.brk_start = addr.0;
        self.brk = addr.0;
    }

    /// The range from the first break to the current one.
    pub fn brk_range(&self) -> std::ops::Range<GuestAddr> {
        GuestAddr(self.brk_start)..GuestAddr(self.brk)
    }

    /// brk(2): moves the program break to `addr` if that is possible, and returns where it is then.
    pub fn brk(&mut self, addr: GuestAddr) -> GuestAddr {
        if self.try_brk(addr.0).is_some() {
            self.brk = addr.0;
        }
        GuestAddr(self.brk)
    }

    fn try_brk(&mut self, new: u64) -> Option<()> {
        let wanted = new.checked_sub(self.brk_start)?;
        if wanted > self.limits.data {
            return None;
        }
        let (old_end, new_end) = (page_align(self.brk)?, page_align(new)?);
        if new_end < old_end {
            return self.unmap_range(new_end, old_end).ok();
        }
        if new_end == old_end {
            return Some(());
        }
        // A page is kept free between the break and what follows, a stack's gap included.
        let next = self.areas.range(old_end..).next().map_or(u64::MAX, |(_, area)| {
            if area.grows_down { area.start.0.saturating_sub(STACK_GAP) } else { area.start.0 }
        });
        let covered = self.area_at(GuestAddr(old_end)).is_some();
        if covered || new_end.checked_add(PAGE_SIZE)? > next {
            return None;
        }
        let request = MapRequest {
            name: AreaName::Heap,
            ..MapRequest::anonymous_at(GuestAddr(old_end), new_end - old_end, Prot::READ | Prot::WRITE)
        };
        self.map(&request).ok()?;
        Some(())
    }

    /// Extends a stack down to the page of `addr` if the next area above grows down and nothing forbids it: the stack
    /// limit, RLIMIT_AS, or another area nearer than the gap of 1 MiB. Gives whether the page is mapped now. Like
    /// Linux since 5.0, it does not care where the stack pointer is.
    pub fn grow_stack(&mut self, addr: GuestAddr) -> bool {
        let page = addr.page().0;
        if !self.can_grow(page) {
            return self.area_at(addr).is_some();
        }
        let Some(mut area) = self.areas.range(page..).next().map(|(&k, _)| k).and_then(|k| self.take(k)) else {
            return false;
        };
        let (old, new) = (area.start.0, page);
        let mapped = self.window.map_anonymous(new, old - new, area.prot).is_ok();
        if mapped {
            area.start = GuestAddr(new);
        }
        self.insert(area);
        mapped
    }

    /// Whether a stack may grow down to this page, which lies in no area.
    pub(super) fn can_grow(&self, page: u64) -> bool {
        let Some((_, area)) = self.areas.range(page..).next() else { return false };
        if !area.grows_down
            || page < MIN_ADDR
            || self.area_at(GuestAddr(page)).is_some()
            || !area.is_private_anonymous()
        {
            return false;
        }
        let crowded =
            self.areas.range(..page).next_back().is_some_and(|(_, below)| {
                !below.grows_down && !below.prot.is_empty() && page - below.end.0 < STACK_GAP
            });
        let more = area.start.0 - page;
        !crowded
            && area.end.0 - page <= self.limits.stack
            && self.may_expand(more, false)
            && (!area.locked || self.may_lock(more))
    }
}
