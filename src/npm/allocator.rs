//! The allocator of the wasm build: power-of-two size classes, each with a list of free blocks.
//!
//! A session holds a few strings and small vectors, so the bytes that a general allocator costs on
//! the login path (2.3 KB compressed) buy nothing. A block goes back to its class and is reused;
//! memory never shrinks, as wasm memory cannot. Single-threaded, as the module is.
#![allow(unsafe_code, reason = "an allocator hands out raw memory; nothing else here does")]

use core::{
    alloc::{GlobalAlloc, Layout},
    cell::Cell,
    ptr,
};

/// Smaller requests get this much, which holds a list link and any alignment that we use.
const SMALLEST: usize = 16;

const CLASSES: usize = 32;

/// What memory is taken in: one wasm page.
const PAGE: usize = 65_536;

pub(super) struct SizeClasses {
    /// The first free block of each class; 0 is none.
    free: [Cell<usize>; CLASSES],
    /// What is left of the memory that was taken.
    top: Cell<usize>,
    end: Cell<usize>,
}

// SAFETY: the module has one thread; native tests give each thread its own.
unsafe impl Sync for SizeClasses {}

impl SizeClasses {
    pub(super) const fn new() -> Self {
        Self { free: [const { Cell::new(0) }; CLASSES], top: Cell::new(0), end: Cell::new(0) }
    }

    /// Takes fresh memory for a block of `size`, a power of two, aligned to it up to a page.
    fn fresh(&self, size: usize) -> usize {
        let align = size.min(PAGE);
        let mut block = self.top.get().next_multiple_of(align);
        if block + size > self.end.get() {
            let pages = size.div_ceil(PAGE);
            let Some(start) = take(pages) else { return 0 };
            block = if start == self.end.get() { block } else { start };
            self.end.set(start + pages * PAGE);
        }
        self.top.set(block + size);
        block
    }
}

/// The class whose blocks hold the layout: blocks are aligned to their size, up to a page.
fn class(layout: Layout) -> usize {
    let size = layout.size().max(layout.align()).max(SMALLEST);
    (usize::BITS - (size - 1).leading_zeros()) as usize
}

#[cfg(target_arch = "wasm32")]
fn take(pages: usize) -> Option<usize> {
    let at = core::arch::wasm32::memory_grow(0, pages);
    (at != usize::MAX).then(|| at * PAGE)
}

#[cfg(not(target_arch = "wasm32"))]
fn take(pages: usize) -> Option<usize> {
    let layout = Layout::from_size_align(pages * PAGE, PAGE).ok()?;
    // SAFETY: the layout is not empty. The tests leak it.
    Some(unsafe { std::alloc::alloc(layout) } as usize).filter(|at| *at != 0)
}

// SAFETY: `alloc` gives out each block once until it is given back: fresh ones lie apart, and a
// listed one leaves its list. A block is as large as its class and aligned to it.
unsafe impl GlobalAlloc for SizeClasses {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let class = class(layout);
        let Some(list) = self.free.get(class) else { return ptr::null_mut() };
        let block = list.get();
        if block == 0 {
            return self.fresh(1 << class) as *mut u8;
        }
        // SAFETY: a listed block holds the next one in its first word.
        list.set(unsafe { *(block as *const usize) });
        block as *mut u8
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if let Some(list) = self.free.get(class(layout)) {
            // SAFETY: the block is ours again and has room for a word.
            unsafe { *block.cast::<usize>() = list.get() };
            list.set(block as usize);
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller answers for the size; the alignment is unchanged.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        if class(wanted) <= class(layout) {
            return block;
        }
        // SAFETY: both blocks are at least as large as what is copied.
        unsafe {
            let larger = self.alloc(wanted);
            if !larger.is_null() {
                ptr::copy_nonoverlapping(block, larger, layout.size());
                self.dealloc(block, layout);
            }
            larger
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    proptest! {
        #[test]
        fn blocks_are_aligned_apart_and_keep_their_content(
            steps in vec((1..5_000_usize, 0..6_u32, 0..8_usize, any::<bool>()), 1..80),
        ) {
            let classes = SizeClasses::new();
            let mut held: Vec<(*mut u8, Layout, u8)> = Vec::new();
            for (step, (size, align, at, grows)) in steps.into_iter().enumerate() {
                let mark = step as u8;
                if let Some((block, layout, old)) = held.get(at).copied() {
                    held.swap_remove(at);
                    // SAFETY: the block is live, and of this layout.
                    unsafe {
                        prop_assert!((0..layout.size()).all(|byte| *block.add(byte) == old));
                        if grows && size >= layout.size() {
                            let block = classes.realloc(block, layout, size);
                            prop_assert!((0..layout.size()).all(|byte| *block.add(byte) == old));
                            block.write_bytes(mark, size);
                            let layout = Layout::from_size_align_unchecked(size, layout.align());
                            held.push((block, layout, mark));
                        } else {
                            classes.dealloc(block, layout);
                        }
                    }
                } else {
                    let layout = Layout::from_size_align(size, 1 << align).expect("a layout");
                    // SAFETY: the layout is not empty.
                    unsafe {
                        let block = classes.alloc(layout);
                        prop_assert_eq!(block as usize % layout.align(), 0);
                        block.write_bytes(mark, size);
                        held.push((block, layout, mark));
                    }
                }
            }
            for (block, layout, mark) in held {
                // SAFETY: the block is live, and of this layout.
                let kept = unsafe { (0..layout.size()).all(|byte| *block.add(byte) == mark) };
                prop_assert!(kept);
            }
        }
    }

    #[test]
    fn a_block_given_back_is_used_again() {
        let classes = SizeClasses::new();
        let layout = Layout::from_size_align(100, 8).expect("a layout");
        // SAFETY: the layout is not empty, and the block is given back once.
        unsafe {
            let first = classes.alloc(layout);
            classes.dealloc(first, layout);
            assert_eq!(classes.alloc(layout), first);
        }
    }
}
