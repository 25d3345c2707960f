//! The code object against the source: number, kinds, offsets and sizes of every kernel's arguments.

use code_object::{ArgKind, CodeObject};

use crate::signature::{Signature, Type};

/// Compares every signature with the kernel of its name.
///
/// A kernel that is well described but cannot be launched through a typed function (its code object wants an image, say)
/// is marked [`Signature::untyped`].
///
/// # Errors
/// The kernel's name and the first difference.
pub(crate) fn check(object: &CodeObject<'_>, signatures: &mut [Signature]) -> Result<(), (String, String)> {
    let target = object.target();
    for kernel in object.kernels() {
        if !signatures.iter().any(|signature| signature.symbol == kernel.name) {
            let reason = format!("the code for {target} has it, the debug information does not");
            return Err((kernel.name.clone(), reason));
        }
    }
    for signature in signatures {
        let differs =
            |reason: String| (signature.name.clone(), format!("in the code for {target}, {reason}"));
        let kernel = object.kernel(&signature.symbol).ok_or_else(|| differs("it is missing".into()))?;
        let args: Vec<_> = kernel.explicit_args().collect();
        if args.len() != signature.params.len() {
            return Err(differs(format!(
                "it takes {} arguments, and in the source {}",
                args.len(),
                signature.params.len()
            )));
        }
        let mut end = 0u64;
        for (index, (arg, param)) in args.iter().zip(&signature.params).enumerate() {
            let mut offset = end.next_multiple_of(param.ty.align());
            let place = (u64::from(arg.offset), u64::from(arg.size));
            // A packed struct's alignment is not in the debug information: it may be less than its members suggest.
            if matches!(param.ty, Type::Record(_)) && (end..offset).contains(&place.0) {
                offset = place.0;
            }
            end = offset + param.ty.size();
            if place != (offset, end - offset) {
                return Err(differs(format!(
                    "argument {index} has {} bytes at offset {}, and in the source {} at {offset}",
                    place.1,
                    place.0,
                    end - offset
                )));
            }
            match (&param.ty, &arg.kind) {
                (Type::Pointer { .. } | Type::Object(_), ArgKind::GlobalBuffer) => {}
                (Type::Pointer { .. } | Type::Object(_), ArgKind::ByValue) | (_, ArgKind::GlobalBuffer) => {
                    return Err(differs(format!("argument {index} is {}, and in the source not", arg.kind)));
                }
                (_, ArgKind::ByValue) => {}
                (_, other) => signature.untyped = Some(format!("argument {index} is {other}")),
            }
        }
    }
    Ok(())
}
