/// A set of numbers of changes: one bit for each, in pages of those that stand close together.
///
/// Where numbers follow upon each other, as Docket gives them, it takes 0.2 to 0.4 bytes for each. Somebody who writes to the tables may have
/// put them so far apart that each needs a page of its own. So there are no more pages than a file of this size can need whose
/// numbers have no gaps, and some to spare.
struct SequenceSet {
  private typealias Page = SIMD8<UInt64>

  private static let bitsOfPage: Int64 = 512
  /// A row of `changes` with its header, two short texts and four times takes no less in the file.
  private static let bytesOfChange: Int64 = 32
  static let pagesToSpare = 1 << 16

  private let limit: Int
  private var pages: [Int64: Page] = [:]
  // The page that was used last, since numbers mostly come in order.
  private var currentNumber: Int64?
  private var current = Page.zero

  /// Whether numbers are missing in it that found no room: then it holds only a part of what was put in.
  private(set) var isIncomplete = false

  /// Bytes that its pages take, about.
  var bytes: Int { pages.capacity * (MemoryLayout<Page>.stride + MemoryLayout<Int64>.stride) }

  /// - Parameter fileBytes: the size of the file with the changes.
  init(fileBytes: Int64 = 0) {
    limit = Self.pagesToSpare + Int(clamping: fileBytes / (Self.bytesOfChange * Self.bitsOfPage))
  }

  /// - Returns: whether it was not in the set before; also where it found no room.
  mutating func insert(_ number: Int64) -> Bool {
    let (page, word, bit) = Self.place(of: number)
    if page != currentNumber {
      guard let found = pages[page] ?? newPage() else {
        isIncomplete = true
        return true
      }
      putBack()
      current = found
      currentNumber = page
    }
    let isNew = current[word] & bit == 0
    current[word] |= bit
    return isNew
  }

  func contains(_ number: Int64) -> Bool {
    let (page, word, bit) = Self.place(of: number)
    guard let found = page == currentNumber ? current : pages[page] else { return false }
    return found[word] & bit != 0
  }

  private mutating func putBack() {
    if let currentNumber { pages[currentNumber] = current }
  }

  private func newPage() -> Page? {
    pages.count < limit ? Page.zero : nil
  }

  private static func place(of number: Int64) -> (page: Int64, word: Int, bit: UInt64) {
    let place = Int(number & (bitsOfPage - 1))
    return (number >> 9, place / 64, 1 << UInt64(place % 64))
  }
}
