import DocketStore
import Testing

@testable import DocketSQLite

@Suite("What a shelf of backups knows")
struct ShelfStateTests {
  private func order(_ name: String, isForFetching: Bool = false) -> ShelfState.Order {
    ShelfState.Order(name: name, path: "/\(name)", isForFetching: isForFetching) { _ in }
  }

  private func made(_ name: String) -> Result<NewBackup, StoreError> {
    .success(
      NewBackup(
        file: StoredBackup(name: name, bytes: 1, created: Timestamp(milliseconds: 1)), revision: Revision(1),
        history: "h"))
  }

  @Test("one backup is made at a time, and one copy is there to be fetched")
  func oneAtATime() {
    var state = ShelfState()
    let copy = order("copy", isForFetching: true)
    #expect(state.place(copy) == nil)
    #expect(state.running == BackupList.Running(name: "copy", percent: nil))
    #expect(state.place(order("other")) == .backupRunning)
    #expect(state.takeOrder()?.name == "copy" && state.takeOrder() == nil)
    #expect(state.note(percent: 7) && state.running?.percent == 7)
    #expect(state.place(order("other")) == .backupRunning)
    state.end(copy, made("copy"), endsMilliseconds: 100)
    #expect(state.running == nil && state.copy?.file.name == "copy")
    #expect(state.place(order("second", isForFetching: true)) == .backupRunning)
    // Others are made meanwhile, and a copy's time runs out while they are.
    #expect(state.place(order("other")) == nil)
    #expect(state.forgetCopy(at: 99) == nil)
    #expect(state.copyPath(named: "copy", keepUntilMilliseconds: 200) == "/copy")
    #expect(state.forgetCopy(at: 199) == nil && state.forgetCopy(at: 200) == "/copy")
    #expect(state.copy == nil && state.copyPath(named: "copy") == nil)
  }

  @Test("one that was not made is no copy to be fetched, and the next may be")
  func failed() {
    var state = ShelfState()
    let copy = order("copy", isForFetching: true)
    #expect(state.place(copy) == nil)
    _ = state.takeOrder()
    state.end(copy, .failure(.full), endsMilliseconds: 100)
    #expect(state.copy == nil && state.place(copy) == nil)
  }

  @Test("once it prepares to close it takes no order, and goes on with files; once it closes, with nothing")
  func closing() {
    var state = ShelfState()
    #expect(state.place(order("a")) == nil)
    state.prepareToClose()
    #expect(state.note(percent: 1) == false)
    #expect(state.add({ _ in }, limit: 2) == nil && state.add({ _ in }, limit: 2) == nil)
    #expect(state.add({ _ in }, limit: 2) == .tooManyScans(limit: 2))
    state.end(order("a"), .failure(.closed), endsMilliseconds: 0)
    #expect(state.place(order("b")) == .closed)
    state.close()
    #expect(state.takeFileWork() != nil && state.add({ _ in }, limit: 2) == .closed)
  }
}
