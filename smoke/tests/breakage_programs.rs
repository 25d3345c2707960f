//! Breaks the programs of a stack, one at a time: the right check must fail each time, and name the right package.

mod common;

use common::breakages::PROGRAMS;
use common::broken;

#[test]
fn every_broken_program_is_found_by_the_right_check_with_the_right_package() {
    if broken::possible() {
        broken::all_are_found(PROGRAMS);
    }
}
