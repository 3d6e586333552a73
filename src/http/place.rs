//! Where in the configuration something is wrong.
use std::{error::Error, fmt};

pub type BuildError = Box<dyn Error + Send + Sync>;

/// An error, and where it arose: `routes[0].handle[1]`.
#[derive(Debug)]
struct Placed {
    place: String,
    error: BuildError,
}
/// Says that `error` arose under `place`: a field (`errors`), an element of one (`routes[3]`), or a path of them.
pub fn at(place: impl fmt::Display, error: impl Into<BuildError>) -> BuildError {
    let place = place.to_string();
    match error.into().downcast::<Placed>() {
        Ok(inner) => {
            let Placed { place: rest, error } = *inner;
            Box::new(Placed { place: format!("{place}.{rest}"), error })
        }
        Err(error) => Box::new(Placed { place, error }),
    }
}
/// Whether it says already where it arose.
pub(super) fn is_placed(error: &BuildError) -> bool {
    error.is::<Placed>()
}
impl fmt::Display for Placed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.error)
    }
}
impl Error for Placed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn places_are_written_as_one_path() {
        let error = at("routes[2]", at("handle[0]", at("errors.routes[1]", "no such thing")));
        assert_eq!(error.to_string(), "routes[2].handle[0].errors.routes[1]: no such thing");
    }
}
