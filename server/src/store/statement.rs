//! The SQL of a store, all of it in one list, so that a test can ask how each statement is planned.

/// One statement out of such a list; there is no other way to get one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Statement(&'static str);

impl Statement {
    /// For [`statements`] alone.
    pub(super) const fn listed(sql: &'static str) -> Self {
        Self(sql)
    }

    pub(super) const fn sql(self) -> &'static str {
        self.0
    }
}

/// Defines statements by name, and `ALL` of them with their names.
macro_rules! statements {
    ($($name:ident = $sql:expr;)*) => {
        $(pub(super) const $name: Statement = Statement::listed($sql);)*

        pub(super) const ALL: &[(&str, &str)] = &[$((stringify!($name), $name.sql())),*];
    };
}

pub(super) use statements;
