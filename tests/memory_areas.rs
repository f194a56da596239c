//! The bound on the number of areas. A process of its own: the host bounds the mappings of a process in the same way, and
//! this test takes them all.

use sevm::abi::Errno;
use sevm::mem::{MAX_AREAS, MapRequest, PAGE_SIZE, Prot, Space, Windows};

#[test]
fn the_number_of_areas_is_bounded() {
    let mut space = Space::new(&Windows::new(32).unwrap()).unwrap();
    let pages = MAX_AREAS as u64 * 2 + 100;
    let start = space.map(&MapRequest::anonymous(pages * PAGE_SIZE, Prot::READ | Prot::WRITE)).unwrap();
    let mut refused = None;
    for i in (0..pages).step_by(2) {
        if let Err(e) = space.protect(start.offset(i * PAGE_SIZE), PAGE_SIZE, Prot::READ) {
            refused = Some(e);
            break;
        }
    }
    assert_eq!(refused, Some(Errno::ENOMEM));
    let areas = space.areas().count();
    assert!((MAX_AREAS / 2..=MAX_AREAS).contains(&areas), "{areas}");
    // What is mapped can still be used, and unmapping makes room again.
    space.copy_out(start.offset(PAGE_SIZE), &1u64).unwrap();
    space.unmap(start, pages * PAGE_SIZE).unwrap();
    assert_eq!(space.total_mapped(), 0);
    let again = space.map(&MapRequest::anonymous(PAGE_SIZE, Prot::READ | Prot::WRITE)).unwrap();
    assert_eq!(space.copy_in::<u64>(again), Ok(0));
}
