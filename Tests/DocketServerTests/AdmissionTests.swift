import DocketService
import NIOConcurrencyHelpers
import Testing

@testable import DocketServer

@Suite("The places of connections")
struct AdmissionTests {
  @Test("are as many as the limit; where all are taken, whoever has owed a token longest gives way")
  func longestGivesWay() {
    let admission = Admission(limit: 3, meters: ServerMeters().connections(protocol: "native"))
    let gone = NIOLockedValueBox<[Int]>([])
    #expect((0..<3).map { _ in admission.takePlace() } == [true, true, true])
    #expect(!admission.takePlace())
    let numbers = (0..<3).map { number in admission.addStranger { gone.withLockedValue { $0.append(number) } } }
    // It has shown its token.
    admission.removeStranger(numbers[0])
    for expected in [[1], [1, 2]] {
      #expect(admission.takePlace())
      #expect(gone.withLockedValue { $0 } == expected)
      admission.givePlaceBack()
    }
    // All others have tokens.
    #expect(!admission.takePlace() && gone.withLockedValue { $0 } == [1, 2])
    admission.givePlaceBack()
    #expect(admission.takePlace() && gone.withLockedValue { $0 } == [1, 2])
  }

  @Test("Nothing is kept of strangers that came and went")
  func bounded() {
    var queue = StrangerQueue()
    let first = queue.append {}
    for _ in 0..<10_000 { queue.remove(queue.append {}) }
    #expect(queue.count == 1 && queue.keptNumbers < 100)
    #expect(queue.removeFirst() != nil && queue.removeFirst() == nil)
    queue.remove(first)
    #expect(queue.count == 0)
  }
}
