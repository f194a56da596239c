//! The grammar of `-e where=`: from text to a tree of names and values, which mean nothing yet.
//!
//! ```text
//! expression = both { ("||" | "or") both }
//! both       = part { ("&&" | "and") part }
//! part       = ("!" | "not") part | "(" expression ")" | test
//! test       = value [ ("==" | "=" | "!=" | "<" | "<=" | ">" | ">=" | "=~" | "!~") value ]
//! value      = term { "&" term }
//! term       = ["-"] NUMBER [ns | us | ms | s] | "STRING" | 'STRING' | NAME
//! ```

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Matches,
    MatchesNot,
}

/// What is wrong, and in which column (from 1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mistake {
    pub what: String,
    pub column: usize,
}

/// A value as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Term {
    Number(i128),
    Text(String),
    Name(String),
    /// Bits that both have.
    Both(Box<Value>, Box<Value>),
}

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Value {
    pub term: Term,
    pub column: usize,
}

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tree {
    Not(Box<Tree>),
    And(Box<Tree>, Box<Tree>),
    Or(Box<Tree>, Box<Tree>),
    Compare(Value, Op, Value),
    /// True unless it is 0.
    Holds(Value),
}

/// Nested parentheses and negations at most: the parser calls itself for each.
const DEPTH: usize = 64;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Number(i128),
    Text(String),
    Name(String),
    Symbol(&'static str),
    End,
}

/// Longer ones first, so that they are not taken for their beginnings.
const SYMBOLS: &[&str] = &["||", "&&", "==", "!=", "<=", ">=", "=~", "!~", "=", "<", ">", "!", "(", ")", "&", "-"];

struct Parser<'a> {
    text: &'a str,
    /// The next token, and the columns where it begins and where the one behind it may begin.
    token: Token,
    column: usize,
    at: usize,
    depth: usize,
}

/// Reads an expression.
///
/// # Errors
/// What is wrong with it.
pub(super) fn parse(text: &str) -> Result<Tree, Mistake> {
    let mut parser = Parser { text, token: Token::End, column: 1, at: 0, depth: 0 };
    parser.advance()?;
    let tree = parser.expression()?;
    match parser.token {
        Token::End => Ok(tree),
        _ => Err(parser.expected("an operator")),
    }
}

impl Parser<'_> {
    fn advance(&mut self) -> Result<(), Mistake> {
        let rest = &self.text[self.at..];
        let blanks = rest.len() - rest.trim_start().len();
        self.at += blanks;
        self.column = self.text[..self.at].chars().count() + 1;
        let rest = &self.text[self.at..];
        let (token, len) = self.token_of(rest)?;
        self.at += len;
        self.token = token;
        Ok(())
    }

    fn token_of(&self, rest: &str) -> Result<(Token, usize), Mistake> {
        let Some(first) = rest.chars().next() else { return Ok((Token::End, 0)) };
        let word = |more: fn(char) -> bool| rest.find(|c| !more(c)).unwrap_or(rest.len());
        if first.is_ascii_digit() {
            let len = word(|c| c.is_ascii_alphanumeric());
            let number = number(&rest[..len]);
            return number.map(|n| (Token::Number(n), len)).ok_or_else(|| self.wrong("bad number", &rest[..len]));
        }
        if first.is_ascii_alphabetic() || first == '_' {
            let len = word(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
            let token = match &rest[..len] {
                "and" => Token::Symbol("&&"),
                "or" => Token::Symbol("||"),
                "not" => Token::Symbol("!"),
                name => Token::Name(name.to_string()),
            };
            return Ok((token, len));
        }
        if first == '"' || first == '\'' {
            return self.string(rest, first);
        }
        match SYMBOLS.iter().find(|s| rest.starts_with(**s)) {
            Some(symbol) => Ok((Token::Symbol(symbol), symbol.len())),
            None => Err(self.wrong("unexpected character", &first.to_string())),
        }
    }

    /// A string up to its closing quote; a backslash before a quote or a backslash takes their meaning away.
    fn string(&self, rest: &str, quote: char) -> Result<(Token, usize), Mistake> {
        let mut text = String::new();
        let mut chars = rest.char_indices().skip(1).peekable();
        while let Some((at, c)) = chars.next() {
            match c {
                c if c == quote => return Ok((Token::Text(text), at + 1)),
                '\\' => match chars.next_if(|(_, next)| *next == quote || *next == '\\') {
                    Some((_, escaped)) => text.push(escaped),
                    None => text.push('\\'),
                },
                c => text.push(c),
            }
        }
        Err(self.wrong("string without an end", ""))
    }

    fn wrong(&self, what: &str, which: &str) -> Mistake {
        let what = if which.is_empty() { what.to_string() } else { format!("{what} '{which}'") };
        Mistake { what, column: self.column }
    }

    fn expected(&self, what: &str) -> Mistake {
        let found = match &self.token {
            Token::End => "the end".to_string(),
            Token::Number(n) => format!("'{n}'"),
            Token::Text(s) => format!("\"{s}\""),
            Token::Name(s) => format!("'{s}'"),
            Token::Symbol(s) => format!("'{s}'"),
        };
        Mistake { what: format!("expected {what} and found {found}"), column: self.column }
    }

    /// Takes a symbol if it comes next.
    fn takes(&mut self, symbol: &str) -> Result<bool, Mistake> {
        let there = matches!(self.token, Token::Symbol(s) if s == symbol);
        if there {
            self.advance()?;
        }
        Ok(there)
    }

    fn expression(&mut self) -> Result<Tree, Mistake> {
        let mut tree = self.both()?;
        while self.takes("||")? {
            tree = Tree::Or(Box::new(tree), Box::new(self.both()?));
        }
        Ok(tree)
    }

    fn both(&mut self) -> Result<Tree, Mistake> {
        let mut tree = self.part()?;
        while self.takes("&&")? {
            tree = Tree::And(Box::new(tree), Box::new(self.part()?));
        }
        Ok(tree)
    }

    fn part(&mut self) -> Result<Tree, Mistake> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(self.wrong("too deeply nested", ""));
        }
        let tree = if self.takes("!")? {
            Tree::Not(Box::new(self.part()?))
        } else if self.takes("(")? {
            let tree = self.expression()?;
            if !self.takes(")")? {
                return Err(self.expected("')'"));
            }
            tree
        } else {
            self.test()?
        };
        self.depth -= 1;
        Ok(tree)
    }

    fn test(&mut self) -> Result<Tree, Mistake> {
        let left = self.value()?;
        let op = match self.token {
            Token::Symbol("==" | "=") => Op::Equal,
            Token::Symbol("!=") => Op::Unequal,
            Token::Symbol("<") => Op::Less,
            Token::Symbol("<=") => Op::LessOrEqual,
            Token::Symbol(">") => Op::Greater,
            Token::Symbol(">=") => Op::GreaterOrEqual,
            Token::Symbol("=~") => Op::Matches,
            Token::Symbol("!~") => Op::MatchesNot,
            _ => return Ok(Tree::Holds(left)),
        };
        self.advance()?;
        Ok(Tree::Compare(left, op, self.value()?))
    }

    fn value(&mut self) -> Result<Value, Mistake> {
        let mut value = self.term()?;
        while self.takes("&")? {
            let column = value.column;
            value = Value { term: Term::Both(Box::new(value), Box::new(self.term()?)), column };
        }
        Ok(value)
    }

    fn term(&mut self) -> Result<Value, Mistake> {
        let column = self.column;
        let negative = self.takes("-")?;
        let term = match &self.token {
            Token::Number(n) => Term::Number(if negative { -n } else { *n }),
            _ if negative => return Err(self.expected("a number")),
            Token::Text(text) => Term::Text(text.clone()),
            Token::Name(name) => Term::Name(name.clone()),
            _ => return Err(self.expected("a value")),
        };
        self.advance()?;
        Ok(Value { term, column })
    }
}

/// A number as C writes it, or a time with its unit, in nanoseconds.
fn number(text: &str) -> Option<i128> {
    let digits = |text: &str, base| u64::from_str_radix(text, base).ok().map(i128::from);
    if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return digits(hex, 16);
    }
    for (unit, ns) in [("ns", 1), ("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000)] {
        if let Some(number) = text.strip_suffix(unit) {
            return digits(number, 10).map(|n| n * ns);
        }
    }
    if text.len() > 1 && text.starts_with('0') { digits(&text[1..], 8) } else { digits(text, 10) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(text: &str) -> String {
        fn value(v: &Value) -> String {
            match &v.term {
                Term::Number(n) => n.to_string(),
                Term::Text(s) => format!("{s:?}"),
                Term::Name(s) => s.clone(),
                Term::Both(a, b) => format!("[{} & {}]", value(a), value(b)),
            }
        }
        fn tree(t: &Tree) -> String {
            match t {
                Tree::Not(t) => format!("!{}", tree(t)),
                Tree::And(a, b) => format!("({} and {})", tree(a), tree(b)),
                Tree::Or(a, b) => format!("({} or {})", tree(a), tree(b)),
                Tree::Compare(a, op, b) => format!("{} {op:?} {}", value(a), value(b)),
                Tree::Holds(v) => value(v),
            }
        }
        match parse(text) {
            Ok(t) => tree(&t),
            Err(m) => format!("{} at {}", m.what, m.column),
        }
    }

    #[test]
    fn grammar() {
        assert_eq!(shape("a || b && !c"), "(a or (b and !c))");
        assert_eq!(shape("(a or b) and not c"), "((a or b) and !c)");
        assert_eq!(shape("flags & O_CREAT == 0x40"), "[flags & O_CREAT] Equal 64");
        assert_eq!(shape("duration>=10us"), "duration GreaterOrEqual 10000");
        assert_eq!(shape("fd = -1"), "fd Equal -1");
        assert_eq!(shape("mode == 0644"), "mode Equal 420");
        assert_eq!(shape(r#"path =~ "a\"b\\c\d" "#), r#"path Matches "a\"b\\c\\d""#);
        assert_eq!(shape("path!~'x'"), r#"path MatchesNot "x""#);
    }

    #[test]
    fn mistakes() {
        assert_eq!(shape(""), "expected a value and found the end at 1");
        assert_eq!(shape("fd == "), "expected a value and found the end at 7");
        assert_eq!(shape("fd == 3 4"), "expected an operator and found '4' at 9");
        assert_eq!(shape("(fd == 3"), "expected ')' and found the end at 9");
        assert_eq!(shape("fd == 3x"), "bad number '3x' at 7");
        assert_eq!(shape("path == 'a"), "string without an end at 9");
        assert_eq!(shape("fd # 3"), "unexpected character '#' at 4");
        assert_eq!(shape("-fd"), "expected a number and found 'fd' at 2");
        assert!(shape(&"!".repeat(1000)).starts_with("too deeply nested"));
    }
}
