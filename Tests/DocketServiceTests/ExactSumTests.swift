import DocketTestSupport
import Testing

@testable import DocketService

@Suite("The exact sum of doubles")
struct ExactSumTests {
  private func sum(_ numbers: [Double]) -> Double {
    var sum = ExactSum()
    for number in numbers { sum.add(number) }
    return sum.double
  }

  private func random(_ generator: inout SeededGenerator) -> Double {
    let number = Double(bitPattern: generator.next())
    return number.isFinite ? number : 1
  }

  @Test("of one number is that number, and of two what the processor rounds their sum to")
  func rounding() {
    var generator = SeededGenerator.forTest(named: "ExactSumTests.rounding")
    let greatest = Double.greatestFiniteMagnitude
    let edges = [
      0, Double.leastNonzeroMagnitude, -Double.leastNonzeroMagnitude, .leastNormalMagnitude,
      .leastNormalMagnitude.nextDown, 1, 0x1p-53, 1.5 * 0x1p-53, -0x1p-54,
      1 + 0x1p-52, greatest, -greatest, greatest.ulp / 2, (greatest.ulp / 2).nextDown,
    ]
    for a in edges {
      #expect(sum([a]) == a)
      for b in edges { #expect(sum([a, b]) == a + b, "\(a) + \(b)") }
    }
    for _ in 0..<20_000 {
      let a = random(&generator)
      // Near enough to the first that both have a part in the sum.
      let near = min(max(Int(a.exponentBitPattern) + Int.random(in: -60...60, using: &generator), 0), 2046)
      let b = Double(
        sign: .plus, exponentBitPattern: UInt(near), significandBitPattern: generator.next() >> 12)
      #expect(sum([a]) == a)
      #expect(sum([a, b]) == a + b && sum([a, -b]) == a - b, "\(a), \(b)")
    }
  }

  @Test("is the same in whatever order they come, and what is taken away again leaves nothing behind")
  func order() {
    var generator = SeededGenerator.forTest(named: "ExactSumTests.order")
    for _ in 0..<200 {
      let numbers = (0..<Int.random(in: 1...40, using: &generator)).map { _ in random(&generator) }
      let wanted = sum(numbers)
      #expect(sum(numbers.shuffled(using: &generator)) == wanted)
      let rest = random(&generator)
      #expect(sum((numbers + numbers.map { -$0 } + [rest]).shuffled(using: &generator)) == rest)
    }
  }

  @Test(
    "has integers in it as they are",
    arguments: [0, 1, -1, 1 << 53 + 1, -(1 << 64), 1 << 64 + 1, 3 << 100 + 1, -(1 << 120)] as [Int128])
  func integers(integer: Int128) {
    var sum = ExactSum()
    sum.add(integer)
    #expect(sum.double == Double(integer))
    sum.add(0.5)
    sum.add(-integer)
    #expect(sum.double == 0.5)
  }
}
