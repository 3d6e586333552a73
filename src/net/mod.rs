//! What crosses the network, below HTTP's handlers: how names are spelt on the wire, how the outside is asked.
pub mod https;
pub mod names;
