//! Threads and processes by their ids. A call asks for its thread and its process many times; who was found last is found again
//! at once.

use std::cell::Cell;

/// What [`IdMap::values`] gives; named, so that the compiler sees that it holds nothing to be dropped.
type Values<'a, T> = std::iter::Map<std::slice::Iter<'a, (i32, Box<T>)>, fn(&(i32, Box<T>)) -> &T>;

/// Values by id, in the order of the ids.
#[derive(Debug)]
pub struct IdMap<T> {
    /// Ascending. New ids are the highest but rarely.
    entries: Vec<(i32, Box<T>)>,
    /// Where the last one asked for was.
    last: Cell<usize>,
}

impl<T> Default for IdMap<T> {
    fn default() -> IdMap<T> {
        IdMap { entries: Vec::new(), last: Cell::new(0) }
    }
}

impl<T> IdMap<T> {
    #[inline]
    fn position(&self, id: i32) -> Option<usize> {
        match self.entries.get(self.last.get()) {
            Some((found, _)) if *found == id => Some(self.last.get()),
            _ => self.search(id),
        }
    }

    fn search(&self, id: i32) -> Option<usize> {
        let at = self.entries.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        self.last.set(at);
        Some(at)
    }

    /// The value with this id.
    #[inline]
    pub fn get(&self, id: &i32) -> Option<&T> {
        self.position(*id).map(|at| &*self.entries[at].1)
    }

    /// The value with this id.
    #[inline]
    pub fn get_mut(&mut self, id: &i32) -> Option<&mut T> {
        self.position(*id).map(|at| &mut *self.entries[at].1)
    }

    /// Whether there is one with this id.
    pub fn contains_key(&self, id: &i32) -> bool {
        self.position(*id).is_some()
    }

    /// Adds a value; one that had its id goes.
    pub fn insert(&mut self, id: i32, value: T) {
        let value = Box::new(value);
        match self.entries.binary_search_by_key(&id, |(id, _)| *id) {
            Ok(at) => self.entries[at].1 = value,
            Err(at) => self.entries.insert(at, (id, value)),
        }
    }

    /// Takes the value with this id out.
    pub fn remove(&mut self, id: &i32) -> Option<T> {
        self.position(*id).map(|at| *self.entries.remove(at).1)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All ids, ascending.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &i32> + Clone {
        self.entries.iter().map(|(id, _)| id)
    }

    /// All values, by ascending id.
    pub fn values(&self) -> Values<'_, T> {
        self.entries.iter().map(|(_, value)| value)
    }

    /// All values, by ascending id.
    pub fn values_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut T> {
        self.entries.iter_mut().map(|(_, value)| &mut **value)
    }
}

#[cfg(test)]
mod tests {
    use super::IdMap;

    #[test]
    fn values_are_found_in_the_order_of_their_ids_whatever_was_asked_before() {
        let mut map = IdMap::default();
        for id in [5, 1, 9, 7, 3] {
            map.insert(id, id * 10);
        }
        assert_eq!(map.keys().copied().collect::<Vec<_>>(), [1, 3, 5, 7, 9]);
        assert_eq!((map.get(&9), map.get(&9), map.get(&2)), (Some(&90), Some(&90), None));
        assert_eq!(map.remove(&1), Some(10));
        // What stood last now stands elsewhere.
        assert_eq!((map.get(&9), map.get(&1)), (Some(&90), None));
        assert_eq!(map.remove(&9), Some(90));
        assert_eq!(map.get(&9), None);
        assert_eq!(map.remove(&9), None);
        map.insert(3, 31);
        if let Some(value) = map.get_mut(&3) {
            *value += 1;
        }
        map.values_mut().for_each(|value| *value += 1);
        assert_eq!(map.values().copied().collect::<Vec<_>>(), [33, 51, 71]);
        assert_eq!((map.len(), map.is_empty()), (3, false));
    }
}
