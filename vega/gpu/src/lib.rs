//! The virtual Vega card: queues, packet processors, SDMA, signals.
