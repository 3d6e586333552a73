//! `rate_limit`
mod ring;
#[cfg(test)]
mod tests;
pub mod zone;
