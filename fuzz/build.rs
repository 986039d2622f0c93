//! Tells the library whether the targets are built with AddressSanitizer (`cfg(asan)`).
//!
//! The compiler's own `cfg(sanitize)` is not stable, and the targets have to build on stable.

fn main() {
    println!("cargo::rustc-check-cfg=cfg(asan)");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=CARGO_ENCODED_RUSTFLAGS");
    let flags = std::env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    // With both spellings, `-Zsanitizer=address` and `-Z sanitizer=address`, one item ends like this.
    if flags.split('\x1f').any(|flag| flag.ends_with("sanitizer=address")) {
        println!("cargo::rustc-cfg=asan");
    }
}
