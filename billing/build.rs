//! A new migration is a change of the program, which the compiler does not see by itself.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
