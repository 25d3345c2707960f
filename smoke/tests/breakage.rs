//! Breaks the files of a stack, one at a time: the right check must fail each time, and name the right package.

mod common;

use common::breakages::FILES;
use common::broken;

#[test]
fn every_broken_file_is_found_by_the_right_check_with_the_right_package() {
    if broken::possible() {
        broken::all_are_found(FILES);
    }
}
