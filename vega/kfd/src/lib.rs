//! A stand-in for the amdgpu kernel driver: topology, ioctls, memory, events.
