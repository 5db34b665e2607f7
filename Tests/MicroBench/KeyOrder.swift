/// Goes through the keys of the documents again and again, in an order that no cache foresees.
struct KeyOrder {
  private let count: Int
  private var key = 0

  init(count: Int) {
    self.count = count
  }

  mutating func next() -> Int {
    // A prime that divides no round number, so that every key comes once in each round.
    key = (key + 7_919) % count
    return key
  }
}
