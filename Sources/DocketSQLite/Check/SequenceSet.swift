/// A set of numbers of changes, which stand close together: one bit for each.
struct SequenceSet {
  private static let bitsOfPage: Int64 = 1 << 19
  private var pages: [Int64: [UInt64]] = [:]
  private var currentNumber: Int64 = -1
  private var current: [UInt64] = []

  /// - Returns: whether it was not in the set before.
  mutating func insert(_ number: Int64) -> Bool {
    let (word, bit) = locate(number)
    let isNew = current[word] & bit == 0
    current[word] |= bit
    return isNew
  }

  mutating func contains(_ number: Int64) -> Bool {
    let (word, bit) = locate(number)
    return current[word] & bit != 0
  }

  private mutating func locate(_ number: Int64) -> (word: Int, bit: UInt64) {
    let page = number >> 19
    if page != currentNumber || current.isEmpty {
      if !current.isEmpty { pages[currentNumber] = current }
      current = pages.removeValue(forKey: page) ?? Array(repeating: 0, count: Int(Self.bitsOfPage / 64))
      currentNumber = page
    }
    let place = Int(number & (Self.bitsOfPage - 1))
    return (place / 64, 1 << UInt64(place % 64))
  }
}
