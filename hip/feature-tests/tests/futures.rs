//! The feature `futures`.

use futures_core::Stream as _;
use hip::{DeviceBuffer, InOrder};
use hip_feature_tests::stream;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

#[test]
fn pending_values_are_a_stream_in_order() {
    let (simulation, stream) = stream();
    let context = &mut Context::from_waker(Waker::noop());
    let other = stream.device().stream().unwrap();
    let [a, b] = [1u32, 2].map(|value| DeviceBuffer::from_slice(&stream, &[value; 4]).unwrap());
    let mut values: InOrder<_> =
        [other.download_async(&a, vec![0; 4]).unwrap(), stream.download_async(&b, vec![0; 4]).unwrap()]
            .into_iter()
            .collect();
    // The second is done first, and waits for its turn.
    stream.synchronize().unwrap();
    assert_eq!(values.size_hint(), (2, Some(2)));
    assert!(Pin::new(&mut values).poll_next(context).is_pending());
    simulation.run_all();
    let mut next = || Pin::new(&mut values).poll_next(context);
    assert!(matches!(next(), Poll::Ready(Some(Ok(numbers))) if numbers == [1; 4]));
    assert!(matches!(next(), Poll::Ready(Some(Ok(numbers))) if numbers == [2; 4]));
    assert!(matches!(next(), Poll::Ready(None)));
    simulation.assert_clean();
}
