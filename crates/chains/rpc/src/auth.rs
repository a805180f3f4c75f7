//! How a client proves who it is, and how it notices that a restarted node wants a new cookie.

use core::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use nodewright_core::{Error, ErrorKind, Result, Retry, Secret};
use tokio::sync::Mutex;

/// States how to log in to a node.
#[derive(Clone)]
#[non_exhaustive]
pub enum Auth {
    /// By user and password.
    Basic {
        /// The user; without a colon, which HTTP basic authentication cannot carry.
        user: String,
        /// The password.
        password: Secret<String>,
    },
    /// By the `.cookie` file that the node writes anew at every start: one line `user:password`.
    Cookie(PathBuf),
    /// Not at all.
    None,
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Basic { .. } => f.write_str("Basic([secret])"),
            Self::Cookie(path) => f.debug_tuple("Cookie").field(path).finish(),
            Self::None => f.write_str("None"),
        }
    }
}

/// Holds what a request needs to log in, and renews it.
#[derive(Debug)]
pub(crate) enum Credentials {
    Cookie { path: PathBuf, cached: Mutex<Option<Login>> },
    Fixed(Option<Login>),
}

impl Credentials {
    pub(crate) fn try_new(auth: Auth) -> Result<Self> {
        match auth {
            Auth::Basic { user, .. } if user.contains(':') => {
                Err(Error::new(ErrorKind::Config, "auth").with("user", "a colon cannot stand in a user name"))
            }
            Auth::Basic { user, password } => Ok(Self::Fixed(Some(Login { generation: 0, user, password }))),
            Auth::Cookie(path) => Ok(Self::Cookie { path, cached: Mutex::new(None) }),
            Auth::None => Ok(Self::Fixed(None)),
        }
    }

    /// Returns what to log in with now; the cookie file is read only if it was not read before.
    pub(crate) async fn current(&self, op: &'static str) -> Result<Option<Login>> {
        match self {
            Self::Cookie { path, cached } => {
                let mut cached = cached.lock().await;
                if cached.is_none() {
                    *cached = Some(read_cookie(op, path, 0).await?);
                }
                Ok(cached.clone())
            }
            Self::Fixed(login) => Ok(login.clone()),
        }
    }

    /// Looks for something newer than `used`, which the node refused; `false` if there is nothing newer.
    ///
    /// Of many calls refused at once, the first reads the file and the others find it read.
    pub(crate) async fn renew(&self, op: &'static str, used: Option<&Login>) -> Result<bool> {
        let (Self::Cookie { path, cached }, Some(used)) = (self, used) else { return Ok(false) };
        let mut cached = cached.lock().await;
        if cached.as_ref().is_some_and(|login| login.generation != used.generation) {
            return Ok(true);
        }
        let fresh = read_cookie(op, path, used.generation.wrapping_add(1)).await?;
        let changed = fresh.user != used.user || fresh.password != used.password;
        if changed {
            *cached = Some(fresh);
        }
        Ok(changed)
    }
}

/// Is one user and password, numbered so that two logins can be told apart without comparing secrets.
#[derive(Clone)]
pub(crate) struct Login {
    generation: u64,
    pub(crate) user: String,
    pub(crate) password: Secret<String>,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Login(#{} [secret])", self.generation)
    }
}

async fn read_cookie(op: &'static str, path: &Path, generation: u64) -> Result<Login> {
    let owned = path.to_owned();
    let read = tokio::task::spawn_blocking(move || read_bounded(&owned)).await.unwrap_or_else(|e| Err(e.into()));
    let fail = |retry| Error::new(ErrorKind::Auth, op).with_retry(retry).with("cookie file", path.display());
    let text = read.map_err(|error| {
        // A node deletes its cookie when it stops and writes it when it starts: absence can pass.
        let absent = error.kind() == io::ErrorKind::NotFound;
        fail(if absent { Retry::After(None) } else { Retry::Never }).because(error)
    })?;
    let line = text.trim_end_matches(['\r', '\n']);
    match line.split_once(':') {
        Some((user, password)) if !line.chars().any(char::is_control) => {
            Ok(Login { generation, user: user.to_owned(), password: Secret::new(password.to_owned()) })
        }
        // Not written to the end yet, or not a cookie file at all; what stands in it is not repeated.
        _ => Err(fail(Retry::After(None)).with("format", "not one line user:password")),
    }
}

fn read_bounded(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let file = File::open(path)?;
    if file.take(MAX_COOKIE + 1).read_to_string(&mut text)? as u64 > MAX_COOKIE {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "larger than a cookie"));
    }
    Ok(text)
}

/// The largest cookie file in bytes; Bitcoin Core and Dash write 75 (`__cookie__:` and 64 hex digits).
const MAX_COOKIE: u64 = 1024;

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    async fn current(credentials: &Credentials) -> Login {
        credentials.current("test").await.unwrap().unwrap()
    }

    #[tokio::test]
    async fn a_changed_cookie_is_read_once_for_all_who_were_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".cookie");
        fs::write(&path, "__cookie__:one\n").unwrap();
        let credentials = Credentials::try_new(Auth::Cookie(path.clone())).unwrap();
        let old = current(&credentials).await;
        assert_eq!((old.user.as_str(), old.password.expose().as_str()), ("__cookie__", "one"));
        assert!(!credentials.renew("test", Some(&old)).await.unwrap(), "nothing changed");

        fs::write(&path, "__cookie__:two").unwrap();
        assert_eq!(current(&credentials).await.password.expose(), "one", "not read again before a refusal");
        assert!(credentials.renew("test", Some(&old)).await.unwrap());
        fs::remove_file(&path).unwrap();
        assert!(credentials.renew("test", Some(&old)).await.unwrap(), "the second needs no file");
        assert_eq!(current(&credentials).await.password.expose(), "two");
    }

    #[tokio::test]
    async fn a_cookie_file_that_is_absent_may_come_and_one_that_is_wrong_is_not_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".cookie");
        let credentials = Credentials::try_new(Auth::Cookie(path.clone())).unwrap();
        let error = credentials.current("test").await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Auth, Retry::After(None)));
        assert!(error.to_string().contains(".cookie"), "{error}");

        for content in ["hunter2".to_owned(), String::new(), "a:hunter2\nb".to_owned()] {
            fs::write(&path, content).unwrap();
            let error = credentials.current("test").await.unwrap_err();
            assert_eq!((error.kind(), error.retry()), (ErrorKind::Auth, Retry::After(None)));
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        }

        fs::write(&path, format!("a:{}", "x".repeat(2000))).unwrap();
        assert_eq!(credentials.current("test").await.unwrap_err().retry(), Retry::Never);
        let folder = Credentials::try_new(Auth::Cookie(folder.path().to_owned())).unwrap();
        assert_eq!(folder.current("test").await.unwrap_err().retry(), Retry::Never);
    }

    #[tokio::test]
    async fn a_fixed_login_is_never_renewed() {
        let auth = Auth::Basic { user: "u".to_owned(), password: Secret::new("hunter2".to_owned()) };
        assert_eq!(format!("{auth:?}"), "Basic([secret])");
        let credentials = Credentials::try_new(auth).unwrap();
        let login = current(&credentials).await;
        assert!(!credentials.renew("test", Some(&login)).await.unwrap());
        assert!(!format!("{credentials:?} {login:?}").contains("hunter2"));
        let none = Credentials::try_new(Auth::None).unwrap();
        assert!(none.current("test").await.unwrap().is_none());
        assert!(!none.renew("test", None).await.unwrap());
    }

    #[test]
    fn a_colon_in_the_user_is_refused() {
        let auth = Auth::Basic { user: "a:b".to_owned(), password: Secret::new(String::new()) };
        assert_eq!(Credentials::try_new(auth).unwrap_err().kind(), ErrorKind::Config);
    }
}
