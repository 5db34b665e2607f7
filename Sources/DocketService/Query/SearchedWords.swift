/// How many words an expression of `$text` looks for, by the rules of FTS5's tokenizer
/// (https://sqlite.org/fts5.html#unicode61_tokenizer), or more: never fewer.
enum SearchedWords {
  static func count(in expression: String) -> Int {
    var count = 0
    var isQuoted = false
    var name = String.UnicodeScalarView()
    func endName() {
      if isQuoted || !operators.contains(String(name)) {
        count += name.split { !isPartOfWord($0) }.count
      }
      name.removeAll(keepingCapacity: true)
    }
    for scalar in expression.unicodeScalars {
      if isPartOfName(scalar) {
        name.append(scalar)
      } else {
        endName()
        // Within quotes a quote is written as two, between which there is nothing.
        if scalar == "\"" { isQuoted.toggle() }
      }
    }
    endName()
    return count
  }

  /// `NEAR` is one only before a parenthesis, and is counted.
  private static let operators = ["AND", "OR", "NOT"]

  /// Whether it is of what FTS5 reads as one name, an operator or a string, without quotes.
  private static func isPartOfName(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x1A, 0x80...: true
    default: false
    }
  }

  static func isPartOfWord(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: return true
    case 0..<0x80: return false
    // Accents that go on with a word.
    case 0x300...0x304, 0x306...0x30C, 0x30F, 0x311, 0x31B, 0x323...0x328, 0x32D, 0x32E, 0x330, 0x331: return true
    // Letters now, but not in the version of Unicode that the tokenizer knows.
    case 0x19B0...0x19C9, 0x1CF2...0x1CF3: return false
    default: break
    }
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
      .decimalNumber, .letterNumber, .otherNumber, .privateUse:
      return true
    default: return false
    }
  }
}
