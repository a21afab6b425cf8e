-- One starting process at a time: two that replace the same function at once would fail.
select pg_advisory_xact_lock(7147046017);
create or replace function refuse_change() returns trigger language plpgsql as $$ begin raise exception 'audit rows are append-only'; end $$;
create or replace trigger audit_entry_fixed before update or delete on audit_entry for each row execute function refuse_change();
create or replace trigger audit_entry_whole before truncate on audit_entry for each statement execute function refuse_change();
create or replace trigger audit_seal_fixed before update or delete on audit_seal for each row execute function refuse_change();
create or replace trigger audit_seal_whole before truncate on audit_seal for each statement execute function refuse_change();
