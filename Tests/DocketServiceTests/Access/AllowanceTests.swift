import NIOCore
import Testing

@testable import DocketService

@Suite("What is counted of visitors")
struct AllowanceTests {
  private let start = NIODeadline.now()

  private func at(_ milliseconds: Int64) -> NIODeadline { start + .milliseconds(milliseconds) }

  // MARK: Failures

  @Test("Five failures a minute are answered at once; then each waits twice as long, up to 5 s")
  func failures() {
    var failures = FailureCount()
    let delays = (0..<14).map { failures.note(now: at($0)) }
    #expect(delays == [0, 0, 0, 0, 0, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000])
    // However many there are.
    for count in Int64(0)..<1_000 { #expect(failures.note(now: at(14 + count)) == 5_000) }
  }

  @Test("and a minute after the first of them they are forgotten")
  func forgotten() {
    var failures = FailureCount()
    for _ in 0..<20 { _ = failures.note(now: at(0)) }
    #expect(failures.note(now: at(60_000)) == 5_000)
    #expect((0..<6).map { failures.note(now: at(60_001 + $0)) } == [0, 0, 0, 0, 0, 100])
  }

  @Test("A machine that has just been switched on counts as any other")
  func earlyUptime() {
    var failures = FailureCount()
    #expect((0..<6).map { failures.note(now: .uptimeNanoseconds($0)) } == [0, 0, 0, 0, 0, 100])
  }

  // MARK: Rates

  @Test("A second's requests may be made at once, and grow again with time and no further")
  func allowance() {
    let allowance = RequestAllowance(perSecond: 10, now: at(0))
    for _ in 0..<10 { #expect(allowance.take(now: at(0)) == nil) }
    #expect(allowance.take(now: at(0))?.seconds == 1)
    // What was refused is not counted.
    #expect(allowance.take(now: at(99))?.seconds == 1)
    #expect(allowance.take(now: at(100)) == nil)
    #expect(allowance.take(now: at(100))?.seconds == 1)
    for _ in 0..<10 { #expect(allowance.take(now: at(3_600_000)) == nil) }
    #expect(allowance.take(now: at(3_600_000))?.seconds == 1)
  }

  @Test("A clock that stands still or goes back gives nothing")
  func standingClock() {
    let allowance = RequestAllowance(perSecond: 1, now: at(1_000))
    #expect(allowance.take(now: at(1_000)) == nil)
    for time in [1_000, 500, 0, 1_000, 1_999] { #expect(allowance.take(now: at(Int64(time)))?.seconds == 1) }
    #expect(allowance.take(now: at(2_000)) == nil)
  }

  @Test("As many are refused at once as may be made; the answers to those beyond are late, until time has passed")
  func refusals() {
    let allowance = RequestAllowance(perSecond: 3, now: at(0))
    for _ in 0..<3 { #expect(allowance.take(now: at(0)) == nil) }
    for isLate in [false, false, false, true, true] { #expect(allowance.take(now: at(0))?.isLate == isLate) }
    #expect(allowance.take(now: at(400)) == nil)
    #expect(allowance.take(now: at(400))?.isLate == false)
    #expect(allowance.take(now: at(400))?.isLate == true)
    for _ in 0..<3 { #expect(allowance.take(now: at(5_000)) == nil) }
    for isLate in [false, false, false, true] { #expect(allowance.take(now: at(5_000))?.isLate == isLate) }
  }

  // MARK: Addresses

  private func address(_ number: Int) -> VisitorAddress { .ipv4(UInt32(number)) }

  @Test("Each address has a count and an allowance of its own, the same for all its connections")
  func pages() {
    let book = AddressBook(rate: 2)
    for _ in 0..<5 { #expect(book.noteFailure(from: address(1), now: at(0)) == 0) }
    #expect(book.noteFailure(from: address(1), now: at(0)) == 100)
    #expect(book.noteFailure(from: address(2), now: at(0)) == 0)
    #expect(book.allowance(of: address(1), now: at(0)) === book.allowance(of: address(1), now: at(1)))
    #expect(book.allowance(of: address(1), now: at(0)) !== book.allowance(of: address(2), now: at(0)))
    #expect(AddressBook(rate: nil).allowance(of: address(1), now: at(0)) == nil)
  }

  @Test("No more addresses are remembered than 16,384; those go first that have been there longest")
  func bound() {
    let book = AddressBook(rate: nil)
    let bound = AddressBook.maximumAddresses
    #expect(bound == 16_384)
    func fail(_ number: Int) -> Int64 { book.noteFailure(from: address(number), now: at(0)) }
    for number in 0..<bound { for _ in 0..<5 { #expect(fail(number) == 0) } }
    #expect(book.count == bound)
    // All are still known, and the first of them are not any more once others come.
    #expect(fail(0) == 100 && fail(bound - 1) == 100)
    #expect(fail(bound) == 0 && book.count == bound)
    #expect(fail(1) == 100)
    #expect(fail(0) == 0 && book.count == bound)
    #expect(fail(1) == 0)
    for number in 0..<3 * bound { _ = fail(1_000_000 + number) }
    #expect(book.count == bound)
  }
}
