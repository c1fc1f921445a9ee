//! All ways to make 24 of four numbers, and which puzzles of cards have one.

use super::{Fraction, Numbers, Operation, TARGET, checked};
use crate::error::Result;
use std::collections::BTreeSet;

/// A part of an expression: its value, its text, and how tightly it binds (0 a sum, 1 a product, 2 a number).
#[derive(Debug, Clone)]
struct Term {
    value: Fraction,
    text: String,
    binds: u8,
}

/// All expressions that make 24 of `numbers`, as texts in alphabetical order, with the parentheses that are needed and no
/// others. Of a sum or product of two parts the smaller part stands first; of three parts there may be several orders.
///
/// # Errors
/// Numbers that are not from 1 to 100.
pub fn solutions(numbers: &[i64; 4]) -> Result<Vec<String>> {
    let terms = Numbers::new(checked(numbers, "numbers", &[])?);
    let terms: Vec<Term> =
        terms.as_slice().iter().map(|&value| Term { value, text: value.to_string(), binds: 2 }).collect();
    let mut found = BTreeSet::new();
    write_all(&terms, &mut found);
    Ok(found.into_iter().collect())
}

fn write_all(terms: &[Term], found: &mut BTreeSet<String>) {
    if let [only] = terms {
        if only.value == TARGET {
            found.insert(only.text.clone());
        }
        return;
    }
    for i in 0..terms.len() {
        for j in i + 1..terms.len() {
            let rest = (0..terms.len()).filter(|&k| k != i && k != j).map(|k| terms[k].clone());
            let rest: Vec<Term> = rest.collect();
            // Sums and products do not mind the order: one is enough.
            let (a, b) = if (terms[i].value, &terms[i].text) <= (terms[j].value, &terms[j].text) {
                (&terms[i], &terms[j])
            } else {
                (&terms[j], &terms[i])
            };
            for operation in Operation::ALL {
                if let Some(term) = joined(a, b, operation) {
                    let mut next = rest.clone();
                    next.push(term);
                    write_all(&next, found);
                }
            }
        }
    }
}

fn joined(a: &Term, b: &Term, operation: Operation) -> Option<Term> {
    let (_, sign, _, value) = operation.apply(a.value, b.value);
    let swapped = matches!(operation, Operation::MinusFrom | Operation::Under);
    let (left, right) = if swapped { (b, a) } else { (a, b) };
    let binds = u8::from(matches!(sign, '*' | '/'));
    // On the right of a minus or a division an equal rank needs parentheses too.
    let right_needs = binds + u8::from(matches!(sign, '-' | '/'));
    let within = |term: &Term, needs: u8| {
        if term.binds < needs { format!("({})", term.text) } else { term.text.clone() }
    };
    let text = format!("{} {sign} {}", within(left, binds), within(right, right_needs));
    Some(Term { value: value?, text, binds })
}

/// Whether 24 can be made of `numbers`.
///
/// # Errors
/// Numbers that are not from 1 to 100.
pub fn solvable(numbers: &[i64; 4]) -> Result<bool> {
    Ok(can_make(&Numbers::new(checked(numbers, "numbers", &[])?)))
}

fn can_make(state: &Numbers) -> bool {
    let numbers = state.as_slice();
    if let [only] = numbers {
        return *only == TARGET;
    }
    let pairs = (0..numbers.len()).flat_map(|i| (i + 1..numbers.len()).map(move |j| (i, j)));
    pairs.into_iter().any(|(i, j)| {
        Operation::ALL.iter().any(|operation| {
            operation.apply(numbers[i], numbers[j]).3.is_some_and(|result| can_make(&state.combine(i, j, result)))
        })
    })
}

/// The 1,362 solvable puzzles of four cards from 1 to 13, each in ascending order, in lexicographic order. They are
/// worked out by going through all 1,820; some 50 ms.
pub fn puzzles() -> Vec<[u8; 4]> {
    let cards = 1..=13u8;
    let all =
        cards.flat_map(|a| (a..=13).flat_map(move |b| (b..=13).flat_map(move |c| (c..=13).map(move |d| [a, b, c, d]))));
    all.filter(|&numbers| can_make(&Numbers::new(numbers))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_puzzles_have_a_solution_as_is_known() {
        let all = puzzles();
        assert_eq!(all.len(), 1362);
        assert!(all.is_sorted() && all.iter().all(|puzzle| puzzle.is_sorted()));
        assert!(all.contains(&[3, 3, 8, 8]) && !all.contains(&[1, 1, 1, 1]));
    }

    #[test]
    fn solutions_are_written_out() {
        assert_eq!(solutions(&[8, 3, 8, 3]).unwrap(), ["8 / (3 - 8 / 3)"]);
        assert_eq!(solutions(&[1, 3, 4, 6]).unwrap(), ["6 / (1 - 3 / 4)"]);
        assert!(solutions(&[1, 1, 1, 1]).unwrap().is_empty());
        assert!(solutions(&[1, 1, 4, 6]).unwrap().contains(&"1 * 1 * 4 * 6".to_owned()));
        assert_eq!(solvable(&[100, 100, 1, 25]).unwrap(), !solutions(&[100, 100, 1, 25]).unwrap().is_empty());
        let error = solvable(&[1, 2, 3, -4]).unwrap_err();
        assert_eq!(error.to_string(), "numbers[3] must be from 1 to 100, got -4");
    }

    /// What a text says: a number, or two parts and a sign.
    #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
    enum Said {
        Number(u8),
        Joined(char, Box<Said>, Box<Said>),
    }

    /// Reads sums, products and what stands in parentheses, from the left.
    fn read(text: &mut &str, binds: u8) -> Said {
        let mut left = if binds < 2 {
            read(text, binds + 1)
        } else if let Some(rest) = text.strip_prefix('(') {
            *text = rest;
            let inner = read(text, 0);
            *text = text.strip_prefix(')').unwrap();
            return inner;
        } else {
            let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
            let (digits, rest) = text.split_at(end);
            *text = rest;
            return Said::Number(digits.parse().unwrap());
        };
        let signs = [[" + ", " - "], [" * ", " / "]][usize::from(binds)];
        while let Some(sign) = signs.iter().find(|sign| text.starts_with(**sign)) {
            *text = &text[3..];
            let sign = sign.trim().chars().next().unwrap();
            left = Said::Joined(sign, Box::new(left), Box::new(read(text, binds + 1)));
        }
        left
    }

    fn worth(said: &Said, numbers: &mut Vec<u8>) -> Option<Fraction> {
        Some(match said {
            Said::Number(number) => {
                numbers.push(*number);
                Fraction::whole((*number).into())
            }
            Said::Joined(sign, a, b) => {
                let (a, b) = (worth(a, numbers)?, worth(b, numbers)?);
                match sign {
                    '+' => a.plus(b),
                    '-' => a.minus(b),
                    '*' => a.times(b),
                    _ if b.is_zero() => return None,
                    _ => a.over(b),
                }
            }
        })
    }

    /// The same, with the parts of sums and products in order.
    fn ordered(said: Said) -> Said {
        let Said::Joined(sign, a, b) = said else { return said };
        let (a, b) = (ordered(*a), ordered(*b));
        let (a, b) = if matches!(sign, '+' | '*') && b < a { (b, a) } else { (a, b) };
        Said::Joined(sign, Box::new(a), Box::new(b))
    }

    /// Whether a sum or product has three parts somewhere.
    fn is_long(said: &Said) -> bool {
        let Said::Joined(sign, a, b) = said else { return false };
        let rank = |sign: char| matches!(sign, '*' | '/');
        matches!(**a, Said::Joined(inner, ..) if rank(inner) == rank(*sign)) || is_long(a) || is_long(b)
    }

    /// Whether no sum is added in parentheses, and no product multiplied.
    fn is_bare(said: &Said) -> bool {
        let Said::Joined(sign, a, b) = said else { return true };
        let alike = |inner| matches!((sign, inner), ('+', '+' | '-') | ('*', '*' | '/'));
        !matches!(**b, Said::Joined(inner, ..) if alike(inner)) && is_bare(a) && is_bare(b)
    }

    /// Whether the smaller part of every sum and product of two parts stands first.
    fn is_sorted(said: &Said) -> bool {
        let Said::Joined(sign, a, b) = said else { return true };
        let value = |said| worth(said, &mut vec![]);
        (matches!(sign, '-' | '/') || value(a) <= value(b)) && is_sorted(a) && is_sorted(b)
    }

    #[test]
    fn solutions_say_24_once_each_and_with_no_more_parentheses_than_needed() {
        for puzzle in
            [[2, 3, 4, 6], [1, 2, 3, 4], [3, 3, 8, 8], [1, 3, 4, 6], [2, 2, 6, 6], [1, 5, 5, 5], [4, 4, 10, 10]]
        {
            let all = solutions(&puzzle).unwrap();
            assert!(!all.is_empty() && solvable(&puzzle).unwrap());
            let mut seen = std::collections::HashSet::new();
            for text in &all {
                let mut rest = text.as_str();
                let said = read(&mut rest, 0);
                let mut numbers = vec![];
                assert_eq!((worth(&said, &mut numbers), rest), (Some(TARGET), ""), "{text}");
                numbers.sort_unstable();
                assert_eq!(numbers, puzzle.map(|number| number as u8), "{text}");
                assert!(is_bare(&said), "{text}");
                if !is_long(&said) {
                    assert!(is_sorted(&said), "{text}");
                    assert!(seen.insert(ordered(said.clone())), "{text} is there in another order");
                }
                // Without any pair of parentheses it says something else.
                for (open, _) in text.match_indices('(') {
                    let depth = |(at, c)| (at, i32::from(c == '(') - i32::from(c == ')'));
                    let mut sum = 0;
                    let close = text.char_indices().map(depth).skip(open).find(|&(_, step)| {
                        sum += step;
                        sum == 0
                    });
                    let close = close.unwrap().0;
                    let bare = [&text[..open], &text[open + 1..close], &text[close + 1..]].concat();
                    assert_ne!(read(&mut bare.as_str(), 0), said, "{text}");
                }
            }
        }
        for puzzle in [[1, 1, 1, 1], [1, 1, 1, 2], [13, 13, 13, 13], [1, 1, 2, 2]] {
            assert!(!solvable(&puzzle).unwrap() && solutions(&puzzle).unwrap().is_empty());
        }
    }
}
