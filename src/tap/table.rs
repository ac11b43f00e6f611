//! What is known of each connection or exchange, in the order of their numbers.
//!
//! Numbers grow, so a new one nearly always goes to the end, and one is found by halving. A
//! `HashMap` would do the same for 10 KB more of ucurl.

use std::time::Duration;

#[derive(Debug)]
pub(super) struct Table<K, V>(Vec<(K, V)>);

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Table(Vec::new())
    }
}

impl<K: Ord, V> Table<K, V> {
    fn find(&self, key: &K) -> Result<usize, usize> {
        self.0.binary_search_by(|(k, _)| k.cmp(key))
    }

    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let at = self.find(key).ok()?;
        self.0.get_mut(at).map(|(_, value)| value)
    }

    pub(super) fn insert(&mut self, key: K, value: V) {
        match self.find(&key) {
            Ok(at) => self.0[at].1 = value,
            Err(at) => self.0.insert(at, (key, value)),
        }
    }

    /// What is there, or else what `make` makes, if it can.
    pub(super) fn or_try_insert<E>(
        &mut self,
        key: K,
        make: impl FnOnce() -> Result<V, E>,
    ) -> Result<&mut V, E> {
        let at = match self.find(&key) {
            Ok(at) => at,
            Err(at) => {
                self.0.insert(at, (key, make()?));
                at
            }
        };
        Ok(&mut self.0[at].1)
    }

    pub(super) fn or_insert(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        let Ok(value) = self.or_try_insert(key, || Ok::<_, std::convert::Infallible>(make()));
        value
    }

    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        self.find(key).ok().map(|at| self.0.remove(at).1)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &(K, V)> {
        self.0.iter()
    }
}

/// By the time each began, and those that began together as they came. Sorting the times and not
/// the items needs one sort in ucurl for all kinds of items.
pub(super) fn by_time<T>(items: Vec<T>, began: impl Fn(&T) -> Duration) -> Vec<T> {
    let mut order: Vec<(Duration, usize)> =
        items.iter().enumerate().map(|(n, item)| (began(item), n)).collect();
    order.sort_unstable();
    let mut items: Vec<Option<T>> = items.into_iter().map(Some).collect();
    order.into_iter().filter_map(|(_, n)| items[n].take()).collect()
}

#[cfg(test)]
mod tests {
    use super::{Table, by_time};
    use std::time::Duration;

    #[test]
    fn those_that_began_together_stay_as_they_came() {
        let items = by_time(vec![(2, 'a'), (1, 'b'), (2, 'c'), (1, 'd')], |&(second, _)| {
            Duration::from_secs(second)
        });
        assert_eq!(items, [(1, 'b'), (1, 'd'), (2, 'a'), (2, 'c')]);
    }

    #[test]
    fn keeps_what_comes_in_any_order() {
        let mut table = Table::default();
        for key in [5, 1, 9, 3, 7] {
            table.insert(key, key * 10);
        }
        table.insert(3, 33);
        assert_eq!(table.iter().map(|&(_, value)| value).collect::<Vec<_>>(), [10, 33, 50, 70, 90]);
        assert_eq!((table.remove(&5), table.remove(&5), table.get_mut(&5)), (Some(50), None, None));
        assert_eq!((*table.or_insert(9, || 0), *table.or_insert(5, || 55)), (90, 55));
        assert_eq!(table.or_try_insert(2, || Err("no")), Err("no"));
        assert_eq!(table.get_mut(&2), None);
    }
}
