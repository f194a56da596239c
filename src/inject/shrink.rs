//! Delta debugging (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002): the smallest part of
//! a list that still does what the whole list does.

/// A part of `all`, in order, for which `fails` holds and from which nothing can be left out. It must hold for `all`.
///
/// # Errors
/// The first one of `fails`.
pub fn smallest<T: Clone, E>(all: &[T], mut fails: impl FnMut(&[T]) -> Result<bool, E>) -> Result<Vec<T>, E> {
    let mut list = all.to_vec();
    if !list.is_empty() && fails(&[])? {
        return Ok(Vec::new());
    }
    let mut parts = 2;
    while list.len() >= 2 {
        let size = list.len().div_ceil(parts);
        let chunks: Vec<Vec<T>> = list.chunks(size).map(<[T]>::to_vec).collect();
        if let Some(smaller) = reduced(&chunks, &mut fails)? {
            // One part alone begins anew; without one part, the parts stay as fine as they are.
            parts = if smaller.len() <= size { 2 } else { (parts - 1).max(2) };
            list = smaller;
        } else if parts >= list.len() {
            break;
        } else {
            parts = (2 * parts).min(list.len());
        }
    }
    Ok(list)
}

/// One of the parts, or all but one of them, if that is enough.
fn reduced<T: Clone, E>(
    chunks: &[Vec<T>],
    fails: &mut impl FnMut(&[T]) -> Result<bool, E>,
) -> Result<Option<Vec<T>>, E> {
    for chunk in chunks {
        if fails(chunk)? {
            return Ok(Some(chunk.clone()));
        }
    }
    // Of two parts, leaving out one is taking the other.
    if chunks.len() > 2 {
        for i in 0..chunks.len() {
            let rest: Vec<T> =
                chunks.iter().enumerate().filter(|(j, _)| *j != i).flat_map(|(_, c)| c.clone()).collect();
            if fails(&rest)? {
                return Ok(Some(rest));
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn needed(all: &[u32], wanted: &[u32]) -> (Vec<u32>, usize) {
        let mut runs = 0;
        let found = smallest(all, |part| {
            runs += 1;
            Ok::<_, ()>(wanted.iter().all(|w| part.contains(w)))
        });
        (found.expect("never an error"), runs)
    }

    #[test]
    fn finds_what_is_needed() {
        let all: Vec<u32> = (0..100).collect();
        assert_eq!(needed(&all, &[42]).0, [42]);
        assert_eq!(needed(&all, &[3, 50, 97]).0, [3, 50, 97]);
        assert!(needed(&all, &[42]).1 < 30);
        assert_eq!(needed(&all, &[]).0, [0; 0]);
        assert_eq!(needed(&[7], &[7]).0, [7]);
        assert_eq!(smallest(&all, |_| Err::<bool, _>("broken")), Err("broken"));
    }

    proptest! {
        #[test]
        fn nothing_can_be_left_out(n in 1u32..40, wanted in prop::collection::btree_set(0u32..40, 1..6)) {
            let wanted: Vec<u32> = wanted.into_iter().filter(|w| *w < n).collect();
            let all: Vec<u32> = (0..n).collect();
            prop_assert_eq!(needed(&all, &wanted).0, wanted);
        }
    }
}
