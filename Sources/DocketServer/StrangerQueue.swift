import DequeModule

/// The connections that owe a token, in the order in which they began to.
struct StrangerQueue {
  typealias GiveWay = @Sendable () -> Void

  private var waiting: [Int: GiveWay] = [:]
  /// Their numbers, and those of some that are gone.
  private var order = Deque<Int>()
  private var nextNumber = 0

  var count: Int { waiting.count }
  /// How much is kept for them.
  var keptNumbers: Int { order.count }

  /// - Returns: a number by which it can be removed.
  mutating func append(_ giveWay: @escaping GiveWay) -> Int {
    // Those that are gone are swept out when they are the most, so that each costs the same however many there are.
    if order.count > 2 * waiting.count + 64 { order.removeAll { waiting[$0] == nil } }
    defer { nextNumber += 1 }
    order.append(nextNumber)
    waiting[nextNumber] = giveWay
    return nextNumber
  }

  /// One that is gone already will do.
  mutating func remove(_ number: Int) { waiting[number] = nil }

  /// The one that has been there longest.
  mutating func removeFirst() -> GiveWay? {
    while let number = order.popFirst() {
      if let giveWay = waiting.removeValue(forKey: number) { return giveWay }
    }
    return nil
  }
}
