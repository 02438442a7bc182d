//! The tree against an ordered map, with keys that come in order, backwards and at random.

use super::{Tree, TreeHeader};
use crate::master::state::pages::read_u64;
use std::cmp::Ordering;
use std::collections::BTreeMap;

type Forty = Tree<40>;

fn entry(key: u64, value: u64) -> [u8; 40] {
    let mut bytes = [0; 40];
    bytes[..8].copy_from_slice(&key.to_le_bytes());
    bytes[8..16].copy_from_slice(&value.to_le_bytes());
    bytes
}

fn order(key: u64) -> impl Fn(&[u8; 40]) -> Ordering {
    move |entry| read_u64(entry, 0).cmp(&key)
}

fn all(tree: &Forty) -> Vec<(u64, u64)> {
    tree.iter().map(|entry| (read_u64(entry, 0), read_u64(entry, 8))).collect()
}

fn check(tree: &Forty, model: &BTreeMap<u64, u64>) {
    tree.verify(|a, b| read_u64(a, 0).cmp(&read_u64(b, 0))).unwrap();
    assert!(all(tree).into_iter().eq(model.iter().map(|(k, v)| (*k, *v))));
    assert_eq!(tree.len(), model.len() as u64);
}

fn random(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

#[test]
fn an_empty_tree_has_nothing() {
    let mut tree = Forty::new();
    assert!(tree.find(order(1)).is_none() && tree.remove(order(1)).is_none() && tree.iter().next().is_none());
    assert!(tree.insert(&entry(1, 1), order(1)));
    assert!(!tree.insert(&entry(1, 2), order(1)), "an equal entry stays");
    assert_eq!(tree.remove(order(1)), Some(entry(1, 1)));
    check(&tree, &BTreeMap::new());
}

#[test]
fn keys_in_order_fill_their_pages() {
    for backwards in [false, true] {
        let mut tree = Forty::new();
        let mut model = BTreeMap::new();
        for number in 0..100_000 {
            let key = if backwards { 100_000 - number } else { number };
            assert!(tree.insert(&entry(key, number), order(key)));
            model.insert(key, number);
        }
        check(&tree, &model);
        let pages = tree.parts().1.count();
        let full = 100_000 / 409;
        assert!(backwards || pages <= full + 4, "{pages} pages where {full} would be enough");
    }
}

#[test]
fn it_does_what_an_ordered_map_does() {
    for seed in 1..=6_u64 {
        let mut state = seed;
        let mut tree = Forty::new();
        let mut model = BTreeMap::new();
        // Grows, then shrinks to nothing: every split, merge and freed page is passed.
        for step in 0..60_000_u64 {
            let key = random(&mut state) % 20_000;
            let grows = random(&mut state) % 100 < if step < 30_000 { 70 } else { 25 };
            if grows {
                let new = !model.contains_key(&key);
                assert_eq!(tree.insert(&entry(key, step), order(key)), new, "seed {seed}, step {step}");
                model.entry(key).or_insert(step);
            } else {
                let removed = tree.remove(order(key)).map(|entry| read_u64(&entry, 8));
                assert_eq!(removed, model.remove(&key), "seed {seed}, step {step}");
            }
            if step % 10_000 == 0 {
                check(&tree, &model);
            }
        }
        let from = random(&mut state) % 20_000;
        let listed: Vec<u64> = tree.iter_from(order(from)).map(|entry| read_u64(entry, 0)).collect();
        assert!(listed.iter().eq(model.range(from..).map(|(key, _)| key)), "seed {seed}");
        for key in model.keys().copied().collect::<Vec<u64>>() {
            assert!(tree.find(order(key)).is_some());
            assert!(tree.remove(order(key)).is_some(), "seed {seed}, key {key}");
        }
        check(&tree, &BTreeMap::new());
    }
}

#[test]
fn removed_from_either_end_it_stays_a_tree() {
    for from_end in [false, true] {
        let mut tree = Forty::new();
        let mut model: BTreeMap<u64, u64> = (0..50_000).map(|key| (key, key)).collect();
        for key in model.keys() {
            tree.insert(&entry(*key, *key), order(*key));
        }
        while let Some((key, _)) = if from_end { model.pop_last() } else { model.pop_first() } {
            assert!(tree.remove(order(key)).is_some());
            if key % 5_000 == 0 {
                check(&tree, &model);
            }
        }
    }
}

#[test]
fn a_clone_does_not_see_later_changes() {
    let mut tree = Forty::new();
    let mut model = BTreeMap::new();
    let mut seed = 9;
    let mut snapshots = Vec::new();
    for step in 0..30_000_u64 {
        let key = random(&mut seed) % 5_000;
        if random(&mut seed).is_multiple_of(2) {
            tree.insert(&entry(key, step), order(key));
            model.entry(key).or_insert(step);
        } else {
            tree.remove(order(key));
            model.remove(&key);
        }
        if step % 3_000 == 0 {
            snapshots.push((tree.clone(), model.clone()));
        }
    }
    for (tree, model) in &snapshots {
        check(tree, model);
    }
}

#[test]
fn what_is_no_tree_is_found() {
    let in_order = |a: &[u8; 40], b: &[u8; 40]| read_u64(a, 0).cmp(&read_u64(b, 0));
    let mut tree = Forty::new();
    for key in 0..2_000 {
        tree.insert(&entry(key, key), order(key));
    }
    let (header, pages) = tree.parts();
    let with = |change: &dyn Fn(&mut TreeHeader, &mut super::Pages)| {
        let (mut header, mut pages) = (header, pages.clone());
        change(&mut header, &mut pages);
        Forty::restore(header, pages).verify(in_order).unwrap_err()
    };
    assert!(with(&|header, _| header.len += 1).contains("announced"));
    assert!(with(&|header, _| header.root = 99).contains("no page 99"));
    assert!(with(&|header, _| header.free = header.root).contains("used twice"));
    assert!(with(&|_, pages| pages.get_mut(0)[2] = 0).contains("entries"), "a wrong count");
    assert!(with(&|_, pages| pages.get_mut(0)[8 + 40] = 200).contains("out of order"));
    assert!(with(&|header, pages| pages.get_mut(header.root)[0] = 200).contains("levels"));
    assert!(
        with(&|_, pages| {
            pages.push();
        })
        .contains("neither used nor free")
    );
}
