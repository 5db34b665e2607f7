/// How many words an expression of `$text` looks for, by the rules of FTS5's tokenizer
/// (https://sqlite.org/fts5.html#unicode61_tokenizer), or more: never fewer.
enum SearchedWords {
  static func count(in expression: String) -> Int {
    var count = 0
    var isQuoted = false
    var word: [Unicode.Scalar] = []
    func endWord() {
      let isOperator = !isQuoted && operators.contains { $0.unicodeScalars.elementsEqual(word) }
      if !word.isEmpty, !isOperator { count += 1 }
      word.removeAll(keepingCapacity: true)
    }
    for scalar in expression.unicodeScalars {
      if isPartOfWord(scalar) {
        word.append(scalar)
      } else {
        endWord()
        // Within quotes a quote is written as two, between which there is nothing.
        if scalar == "\"" { isQuoted.toggle() }
      }
    }
    endWord()
    return count
  }

  private static let operators = ["AND", "OR", "NOT", "NEAR"]

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
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
      .letterNumber,
      .otherNumber, .privateUse:
      return true
    default: return false
    }
  }
}
